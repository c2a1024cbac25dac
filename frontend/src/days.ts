// Days in the address and in requests. Knows dates as 2026-03-14; knows no query.

const DAY = 86_400_000; // milliseconds

const shifted = (date: string, by: number): string =>
  date ? new Date(new Date(date).getTime() + by).toISOString().slice(0, 10) : "";

/** The day after, for the server, whose `before` excludes a day; "" stays "". */
export const nextDay = (date: string): string => shifted(date, DAY);

/** The day before; "" stays "". */
export const dayBefore = (date: string): string => shifted(date, -DAY);
