-- SPDX-License-Identifier: GPL-2.0-or-later
-- What nfqd-fleet asks, and who may ask it.

-- The stretches of numbers that no record has, no gap record of the sensor tells as lost, and no drop of old days
-- explains. The last number of a boot is what the next boot's start says it was.
CREATE FUNCTION fleet.gaps(since timestamptz DEFAULT '-infinity')
RETURNS TABLE (sensor uuid, boot bigint, first bigint, last bigint) LANGUAGE sql STABLE AS $$
	WITH own AS MATERIALIZED (
		SELECT r.sensor, r.boot, r.kind, r.line::json -> 'nfqd' AS n FROM fleet.record r
		WHERE ts >= since AND kind IN ('start', 'gap')
	), last AS (
		SELECT own.sensor, (n -> 'last' ->> 'boot')::bigint AS boot, (n -> 'last' ->> 'seq')::bigint AS seq
		FROM own WHERE kind = 'start' AND n -> 'last' ->> 'seq' IS NOT NULL
	), known (sensor, boot, first, last) AS (
		SELECT r.sensor, r.boot, seq, seq FROM fleet.record r WHERE ts >= since
		UNION ALL SELECT own.sensor, own.boot, (n ->> 'from')::bigint, (n ->> 'to')::bigint FROM own
			WHERE kind = 'gap' AND n ->> 'to' IS NOT NULL
		UNION ALL SELECT d.sensor, d.boot, 0, d.seq FROM fleet.dropped d
		UNION ALL SELECT l.sensor, l.boot, l.seq + 1, l.seq + 1 FROM last l
		UNION ALL SELECT l.sensor, l.boot, 0, 0 FROM last l WHERE since = '-infinity'
		UNION ALL SELECT DISTINCT r.sensor, r.boot, 0, 0 FROM fleet.record r WHERE since = '-infinity'
	), seen AS (
		SELECT k.*, max(k.last) OVER (PARTITION BY k.sensor, k.boot ORDER BY k.first, k.last
			ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before FROM known k
	)
	SELECT s.sensor, s.boot, s.before + 1, s.first - 1 FROM seen s WHERE s.first > s.before + 1 ORDER BY 1, 2, 3
$$;

-- Places with more than one line: of the same time (clash), or of different times.
CREATE FUNCTION fleet.clones(since timestamptz DEFAULT '-infinity')
RETURNS TABLE (sensor uuid, boot bigint, seq bigint, lines bigint) LANGUAGE sql STABLE AS $$
	SELECT sensor, boot, seq, count(*) FROM (
		SELECT sensor, boot, seq FROM fleet.record WHERE ts >= since
		UNION ALL SELECT sensor, boot, seq FROM fleet.clash WHERE ts >= since
	) AS r GROUP BY 1, 2, 3 HAVING count(*) > 1 ORDER BY 1, 2, 3
$$;

-- Rows whose columns are not those of their line.
CREATE FUNCTION fleet.altered(since timestamptz DEFAULT '-infinity')
RETURNS TABLE (sensor uuid, boot bigint, seq bigint) LANGUAGE sql STABLE AS $$
	SELECT r.sensor, r.boot, r.seq FROM fleet.record r, fleet.parse(r.line) p
	WHERE r.ts >= since AND (r.sensor, r.boot, r.seq, r.ts, r.kind, r.vendor, r.name, r.action, r.client)
		IS DISTINCT FROM (p.sensor, p.boot, p.seq, p.ts, p.kind, p.vendor, p.name, p.action, p.client)
$$;

-- By this machine's clock, for the sensor's may be wrong.
CREATE VIEW fleet.silent AS
	SELECT sensor, host, beat_received AS last, every, now() - beat_received AS since FROM fleet.sensor
	WHERE every IS NULL OR beat_received < now() - 2 * every;

CREATE VIEW fleet.pack AS
	SELECT s.sensor, s.host, s.version AS nfqd, p ->> 'pack' AS pack, p ->> 'version' AS version,
		p ->> 'sha256' AS sha256, s.ts AS since
	FROM fleet.sensor s, json_array_elements(s.packs) AS p;

CREATE VIEW fleet.machines AS
	SELECT day, vendor, round(hll_cardinality(hll_union_agg(machines)))::bigint AS machines_about, sum(records) AS records
	FROM fleet.day GROUP BY day, vendor;

-- writer: the hubs; it can add and neither read nor change. reader: who asks about machines. auditor: who proves, and
-- so sees lines that were refused and lines that clash.
DO $$ BEGIN
	IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'nfqd_writer') THEN
		CREATE ROLE nfqd_writer LOGIN;
		CREATE ROLE nfqd_reader LOGIN;
		CREATE ROLE nfqd_auditor LOGIN IN ROLE nfqd_reader;
	END IF;
END $$;
-- a hub that is cut off in a transaction does not keep the other one waiting
ALTER ROLE nfqd_writer SET idle_in_transaction_session_timeout = '20s';
ALTER ROLE nfqd_writer SET standard_conforming_strings = on;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA fleet FROM PUBLIC;
GRANT USAGE ON SCHEMA fleet TO nfqd_writer, nfqd_reader;
GRANT EXECUTE ON FUNCTION fleet.take TO nfqd_writer;
GRANT SELECT ON fleet.record, fleet.sensor, fleet.dropped, fleet.day, fleet.silent, fleet.pack, fleet.machines TO nfqd_reader;
GRANT EXECUTE ON FUNCTION fleet.gaps TO nfqd_reader;
GRANT SELECT ON fleet.clash, fleet.refused TO nfqd_auditor;
GRANT EXECUTE ON FUNCTION fleet.clones, fleet.altered, fleet.parse TO nfqd_auditor;
