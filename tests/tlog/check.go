// SPDX-License-Identifier: GPL-2.0-or-later

// A second reader of signed logs that shares nothing with nfqd: Go's own sumdb/note and sumdb/tlog.
//
//	check KEY LOG		every checkpoint of every boot, and that each tree goes on from the one before
//	check KEY LOG PROOF	the same, and that PROOF is of a record of LOG
package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type record struct {
	Nfqd struct {
		Boot, Seq  int64
		Kind, Note string
	}
}

// The tree of one boot: hashes as tlog stores them.
type tree struct {
	hashes []tlog.Hash
	lines  [][]byte
	last   tlog.Tree
}

func (t *tree) ReadHashes(at []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(at))
	for i, n := range at {
		if n >= int64(len(t.hashes)) {
			return nil, fmt.Errorf("hash %d is not there", n)
		}
		out[i] = t.hashes[n]
	}
	return out, nil
}

func die(format string, a ...interface{}) {
	fmt.Printf(format+"\n", a...)
	os.Exit(1)
}

func must(err error, what string) {
	if err != nil {
		die("%s: %v", what, err)
	}
}

// Origin, size and root of a note with a good signature.
func open(text string, keys note.Verifiers) (string, tlog.Tree) {
	n, err := note.Open([]byte(text), keys)
	must(err, "note")
	f := strings.Split(n.Text, "\n")
	size, err := strconv.ParseInt(f[1], 10, 64)
	must(err, "size")
	raw, err := base64.StdEncoding.DecodeString(f[2])
	must(err, "root")
	t := tlog.Tree{N: size}
	copy(t.Hash[:], raw)
	return f[0], t
}

func (t *tree) add(line []byte) {
	h, err := tlog.StoredHashes(int64(len(t.lines)), line, t)
	must(err, "hashes")
	t.hashes = append(t.hashes, h...)
	t.lines = append(t.lines, line)
}

func (t *tree) check(said tlog.Tree) {
	h, err := tlog.TreeHash(said.N, t)
	must(err, "tree")
	if h != said.Hash {
		die("the root of %d records is another one", said.N)
	}
	if t.last.N > 0 {
		p, err := tlog.ProveTree(said.N, t.last.N, t)
		must(err, "consistency")
		must(tlog.CheckTree(p, said.N, said.Hash, t.last.N, t.last.Hash), "consistency")
	}
	t.last = said
}

func checkProof(text string, boots map[int64]*tree, keys note.Verifiers) {
	parts := strings.SplitN(text, "\n\n", 2)
	head := strings.Split(parts[0], "\n")
	if head[0] != "c2sp.org/tlog-proof@v1" {
		die("not a proof")
	}
	place, err := strconv.ParseInt(strings.TrimPrefix(head[1], "index "), 10, 64)
	must(err, "index")
	var proof tlog.RecordProof
	for _, s := range head[2:] {
		h, err := tlog.ParseHash(s)
		must(err, "hash")
		proof = append(proof, h)
	}
	origin, said := open(parts[1], keys)
	boot, err := strconv.ParseInt(strings.Split(origin, "/")[2], 10, 64)
	must(err, "origin")
	line := boots[boot].lines[place]
	must(tlog.CheckRecord(proof, said.N, said.Hash, place, tlog.RecordHash(line)), "proof")
	fmt.Printf("proof of %d bytes\n", len(text))
}

func main() {
	key, err := note.NewVerifier(os.Args[1])
	must(err, "key")
	keys := note.VerifierList(key)
	log, err := os.ReadFile(os.Args[2])
	must(err, "log")
	boots := map[int64]*tree{}
	checkpoints := 0
	for _, line := range bytes.Split(bytes.TrimSuffix(log, []byte("\n")), []byte("\n")) {
		var r record
		must(json.Unmarshal(line, &r), "record")
		t := boots[r.Nfqd.Boot]
		if t == nil {
			t = &tree{}
			boots[r.Nfqd.Boot] = t
		}
		if r.Nfqd.Seq != int64(len(t.lines))+1 {
			die("record %d of boot %d is not there", len(t.lines)+1, r.Nfqd.Boot)
		}
		if r.Nfqd.Kind == "checkpoint" {
			_, said := open(r.Nfqd.Note, keys)
			t.check(said)
			checkpoints++
		}
		t.add(line)
	}
	if len(os.Args) > 3 {
		proof, err := os.ReadFile(os.Args[3])
		must(err, "proof")
		checkProof(string(proof), boots, keys)
	}
	fmt.Printf("%d boots, %d checkpoints\n", len(boots), checkpoints)
}
