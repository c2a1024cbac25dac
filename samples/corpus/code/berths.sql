-- Berth bookings: the tables, and the three questions the duty officer asks every morning.

CREATE TABLE vessel (
    imo      INTEGER PRIMARY KEY,
    name     TEXT NOT NULL,
    length_m REAL NOT NULL,
    draught_m REAL NOT NULL
);

CREATE TABLE booking (
    id      INTEGER PRIMARY KEY,
    berth   INTEGER NOT NULL CHECK (berth BETWEEN 1 AND 9),
    imo     INTEGER NOT NULL REFERENCES vessel (imo),
    arrives TEXT NOT NULL,  -- ISO 8601, UTC
    leaves  TEXT NOT NULL
);

-- 1. Two ships promised the same place: overlapping bookings of one berth.
SELECT a.id AS first, b.id AS second, a.berth, a.arrives, b.arrives
FROM booking AS a
JOIN booking AS b ON a.berth = b.berth AND a.id < b.id
WHERE a.arrives < b.leaves AND b.arrives < a.leaves
ORDER BY a.berth, a.arrives;

-- 2. Ships that would sit on the ground at low water.
SELECT v.name, b.berth, v.draught_m, d.depth_m
FROM booking AS b
JOIN vessel AS v ON v.imo = b.imo
JOIN depth AS d ON d.berth = b.berth
WHERE v.draught_m + 0.5 > d.depth_m;

-- 3. What we may invoice for last month, by berth.
SELECT berth, COUNT(*) AS calls, SUM(julianday(leaves) - julianday(arrives)) AS days
FROM booking
WHERE leaves >= date('now', 'start of month', '-1 month')
  AND leaves < date('now', 'start of month')
GROUP BY berth;
