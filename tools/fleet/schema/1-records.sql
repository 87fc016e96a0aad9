-- SPDX-License-Identifier: GPL-2.0-or-later
-- Records of all sensors. The line is kept as it was written, for the tree that checkpoints sign is over its bytes;
-- the columns beside it are what questions are asked by.
CREATE SCHEMA fleet;

CREATE TABLE fleet.record (
	sensor   uuid NOT NULL,
	boot     bigint NOT NULL,
	seq      bigint NOT NULL,
	ts       timestamptz NOT NULL,               -- the sensor's clock
	received timestamptz NOT NULL DEFAULT now(), -- this machine's clock
	kind     text,                               -- of the daemon's own records; NULL: a record of traffic
	vendor   text,
	name     text,
	action   text,
	client   text,
	line     text COMPRESSION lz4 NOT NULL,
	PRIMARY KEY (sensor, boot, seq, ts)
) PARTITION BY RANGE (ts);
CREATE INDEX ON fleet.record (client, ts) WHERE client IS NOT NULL;
CREATE INDEX ON fleet.record (sensor, kind, ts) WHERE kind IN ('start', 'gap', 'heartbeat');

-- One row a sensor: what its latest start, reload and heartbeat said. key: of the first start that came, and so not
-- of one that somebody else wrote later.
CREATE TABLE fleet.sensor (
	sensor   uuid PRIMARY KEY,
	host     text,
	key      text,
	boot     bigint NOT NULL DEFAULT 0,
	seq      bigint NOT NULL DEFAULT 0,
	ts       timestamptz,
	version  text,
	packs    json,
	beat     text,
	every    interval,
	beat_ts  timestamptz,
	beat_received timestamptz
);

-- A line whose place another line has: of a sensor that was cloned, or forged.
CREATE TABLE fleet.clash (
	sensor   uuid NOT NULL,
	boot     bigint NOT NULL,
	seq      bigint NOT NULL,
	ts       timestamptz NOT NULL,
	received timestamptz NOT NULL DEFAULT now(),
	line     text NOT NULL
);
CREATE UNIQUE INDEX ON fleet.clash (sensor, boot, seq, ts, md5(line));

-- What is no record.
CREATE TABLE fleet.refused (
	received timestamptz NOT NULL DEFAULT now(),
	line     text NOT NULL
);
CREATE UNIQUE INDEX ON fleet.refused (md5(line));

-- Up to which record of a boot days were dropped (fleet.maintain).
CREATE TABLE fleet.dropped (
	sensor uuid NOT NULL,
	boot   bigint NOT NULL,
	seq    bigint NOT NULL,
	PRIMARY KEY (sensor, boot)
);

-- The columns of a line; all NULL: it is no record.
CREATE FUNCTION fleet.parse(line text) RETURNS fleet.record LANGUAGE plpgsql STABLE AS $$
DECLARE
	whole json;
	at    text;
	r     fleet.record;
BEGIN
	whole := line;
	at := whole ->> 'timestamp';
	SELECT n.sensor, n.boot, n.seq, at::timestamptz, NULL, left(n.kind, 64), left(n.vendor, 255), left(n.name, 255),
		left(n.action, 64), left(n.client ->> 'id', 64), parse.line
	INTO r FROM json_to_record(whole -> 'nfqd') AS n(sensor uuid, boot bigint, seq bigint, kind text, vendor text, name text,
		action text, client json);
	IF r.boot BETWEEN 0 AND 1::bigint << 53 AND r.seq BETWEEN 1 AND 1::bigint << 53 AND
		at ~ '^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}[+-]\d{4}$' THEN
		RETURN r;
	END IF;
	RETURN NULL;
EXCEPTION WHEN data_exception OR program_limit_exceeded THEN
	RETURN NULL;
END $$;

-- Keeps what the daemon's own record says of its sensor.
CREATE FUNCTION fleet.note(r fleet.record) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	own json := r.line::json -> 'nfqd';
BEGIN
	INSERT INTO fleet.sensor (sensor) VALUES (r.sensor) ON CONFLICT DO NOTHING;
	IF r.kind = 'heartbeat' THEN
		UPDATE fleet.sensor s SET beat = own ->> 'state', every = make_interval(secs => (own ->> 'every_s')::int),
			beat_ts = r.ts, beat_received = r.received
		WHERE s.sensor = r.sensor AND r.ts > coalesce(beat_ts, '-infinity');
	ELSE
		UPDATE fleet.sensor s SET host = r.line::json ->> 'host', boot = r.boot, seq = r.seq, ts = r.ts,
			key = coalesce(s.key, own ->> 'key'), version = coalesce(own ->> 'version', s.version),
			packs = coalesce(own -> 'packs', s.packs)
		WHERE s.sensor = r.sensor AND (r.boot, r.seq) > (s.boot, s.seq);
	END IF;
EXCEPTION WHEN data_exception THEN
	RETURN;
END $$;

-- Takes one line, as often as it comes. It never fails because of the line: a hub would try it again for ever.
-- The lock: two hubs have the same records in different order, and one transaction would wait for the other.
CREATE FUNCTION fleet.take(line text) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	r fleet.record := fleet.parse(line);
BEGIN
	PERFORM pg_advisory_xact_lock(20514);
	IF r.sensor IS NULL THEN
		INSERT INTO fleet.refused (line) VALUES (take.line) ON CONFLICT DO NOTHING;
		RETURN;
	END IF;
	r.received := now();
	INSERT INTO fleet.record SELECT r.* ON CONFLICT (sensor, boot, seq, ts) DO NOTHING;
	IF NOT FOUND THEN
		INSERT INTO fleet.clash (sensor, boot, seq, ts, line)
		SELECT r.sensor, r.boot, r.seq, r.ts, r.line FROM fleet.record o
		WHERE (o.sensor, o.boot, o.seq, o.ts) = (r.sensor, r.boot, r.seq, r.ts) AND o.line <> r.line
		ON CONFLICT DO NOTHING;
	ELSIF r.kind IN ('start', 'reload', 'heartbeat') THEN
		PERFORM fleet.note(r);
	END IF;
END $$;
