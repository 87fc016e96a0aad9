-- SPDX-License-Identifier: GPL-2.0-or-later
-- What became of sensors that reloaded or started since a rollout began: the state of their heartbeat, and how many
-- names each refuses that it did not refuse in the seven days before. since NULL: it has not reloaded.
CREATE FUNCTION fleet.rollout(begun timestamptz)
RETURNS TABLE (sensor uuid, host text, since timestamptz, beat text, refusals bigint) LANGUAGE sql STABLE AS $$
	SELECT s.sensor, s.host, CASE WHEN s.ts >= begun THEN s.ts END,
		CASE WHEN s.every IS NULL THEN 'none' WHEN s.beat_received < now() - 2 * s.every THEN 'silent' ELSE s.beat END,
		(SELECT count(DISTINCT r.name) FROM fleet.record r
			WHERE r.sensor = s.sensor AND r.ts >= s.ts AND r.action IN ('reject', 'drop') AND NOT EXISTS (
				SELECT FROM fleet.record o WHERE o.sensor = s.sensor AND o.name = r.name AND
					o.ts < s.ts AND o.ts >= s.ts - interval '7 days' AND o.action IN ('reject', 'drop')))
	FROM fleet.sensor s
$$;
REVOKE ALL ON FUNCTION fleet.rollout FROM PUBLIC;
GRANT EXECUTE ON FUNCTION fleet.rollout TO nfqd_reader;
