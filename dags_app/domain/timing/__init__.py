"""When a DAG is due: cron expressions in a time zone, and fixed intervals.

A tick is an instant in UTC. The words that name it are a person's: an expression is read on the
wall clock of a time zone, and that clock is turned twice a year. Skytrail follows Debian's cron
(cron(8) on clock changes, crontab(5) on the day fields):

* A **fixed-time job** (neither the minute nor the hour field starts with `*`) fires exactly once
  for each time it names. Named by the hour that is repeated when clocks go back, it fires in the
  first of the two; named inside the gap when they go forward, it fires at the end of the gap,
  once even if several of its times are in there. However long the gap: Apia left out a whole day.
* A job whose minute or hour field starts with `*` **follows elapsed time**: it fires in both of
  the repeated hours, and not for the times that the gap leaves out.
* Where both day fields are restricted, either may match; but if one of them starts with `*`
  (`*` itself, or `*/2`) both must.

croniter searches, but only on a wall clock without a zone, and only lists of numbers: what the
text means is read here, and turning a wall time into an instant is done here too.

**Deliberate differences.** From croniter 7, which people know from Airflow and Celery:

1. `30 1 * * *` fires once when 01:30 is repeated (croniter: twice).
2. `*/15 2 * * *` and `0 */2 * * *` do not fire for a 02:00 that the gap leaves out (croniter:
   once more, at its end).
3. `0 0 */2 * 1` is the Mondays that are odd days (croniter: every odd day, and every Monday).
4. Refused: seconds and years, `R`, `H`, ranges that wrap (`22-2`, `FRI-MON`) or hold one value
   (`5-5`, which croniter reads as the whole field), `*` beside other entries of a list, `20-L`,
   `W15`, `1-5#2`, what does not fire in five years, and what is longer than 128 characters.
5. Refused: `#`, `L5` or `15W` together with a restriction of the other day field, where croniter
   wants both and the rule above says either.
6. Also read: `LW` (the month's last working day), `5L` for `L5`, names there (`LFRI`), and
   `@quarterly`.

From cronsim 2.8, which is Debian's rule in Python:

7. `1/2` as a weekday ends on Saturday: 1, 3, 5 (cronsim counts on to 7 and adds Sunday).
   `7/2`, which would be that other Sunday, is refused.
8. Refused, and read by cronsim: `5-5`, `*` beside other entries, what does not fire in five years,
   what entry 5 names, `1#2,3` (weekdays with and without `#` in one list), and a sixth field.
9. Also read: `?` for `*` as a day, `15W`, `L5` for `5L`, and the presets.
10. A fixed-time job, asked about from within the second of the repeated hours, is next due after
    that moment (cronsim names the first occurrence, which is past).
11. A job that follows elapsed time does not fire at the end of a gap that begins at midnight, and
    misses no tick on a day whose turn is not at a full hour or not by full hours (cronsim does).
"""
