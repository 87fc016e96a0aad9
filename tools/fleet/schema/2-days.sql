-- SPDX-License-Identifier: GPL-2.0-or-later
-- A partition a day, kept for 90 days (UPDATE partman.part_config SET retention = '400 days' changes that), and a sum
-- of each day that stays. Takes pg_partman, hll, and pg_cron, whose cron.database_name must be this database.
CREATE SCHEMA partman;
CREATE EXTENSION pg_partman SCHEMA partman;
CREATE EXTENSION hll;
CREATE EXTENSION pg_cron;

SELECT partman.create_parent('fleet.record', 'ts', 'native', 'daily', p_premake => 4,
	p_start_partition => (current_date - 7)::text);
-- records of a sensor whose clock is wrong lie in the default partition and decide nothing about days
UPDATE partman.part_config SET retention = '90 days', retention_keep_table = false, infinite_time_partitions = true,
	ignore_default_data = true WHERE parent_table = 'fleet.record';

-- Machines by day, sensor and vendor, as a sketch: sketches of days and sensors unite, numbers do not.
CREATE TABLE fleet.day (
	day      date NOT NULL,
	sensor   uuid NOT NULL,
	vendor   text NOT NULL,
	records  bigint NOT NULL,
	machines hll NOT NULL,
	PRIMARY KEY (day, sensor, vendor)
);

CREATE FUNCTION fleet.sum_day(which date) RETURNS void LANGUAGE sql AS $$
	INSERT INTO fleet.day
	SELECT which, sensor, vendor, count(*), hll_add_agg(hll_hash_text(client)) FROM fleet.record
	WHERE ts >= which AND ts < which + 1 AND vendor IS NOT NULL AND client IS NOT NULL GROUP BY sensor, vendor
	ON CONFLICT (day, sensor, vendor) DO UPDATE SET records = excluded.records, machines = excluded.machines
$$;

-- Makes the days that come and drops those that are too old. What lies in the default partition of a day that is made
-- goes where it belongs; the rest of it is dropped by the time at which it came.
CREATE FUNCTION fleet.maintain() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	keep interval := retention FROM partman.part_config WHERE parent_table = 'fleet.record';
BEGIN
	PERFORM pg_advisory_xact_lock(20514);
	PERFORM fleet.sum_day(current_date - n) FROM generate_series(0, 7) AS n;
	INSERT INTO fleet.dropped SELECT sensor, boot, max(seq) FROM fleet.record
		WHERE ts < date_trunc('day', now() - keep) AND received < now() - keep GROUP BY sensor, boot
	ON CONFLICT (sensor, boot) DO UPDATE SET seq = greatest(dropped.seq, excluded.seq);
	DELETE FROM fleet.record_default WHERE received < now() - keep;
	CREATE TEMP TABLE aside ON COMMIT DROP AS
		SELECT * FROM fleet.record_default WHERE ts > now() - keep AND ts < now() + interval '6 days';
	DELETE FROM fleet.record_default d USING aside a
		WHERE (d.sensor, d.boot, d.seq, d.ts) = (a.sensor, a.boot, a.seq, a.ts);
	PERFORM partman.run_maintenance('fleet.record');
	INSERT INTO fleet.record SELECT * FROM aside;
END $$;

SELECT cron.schedule('nfqd: days', '10 0 * * *', 'SELECT fleet.maintain()');
