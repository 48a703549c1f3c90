#!/usr/bin/env python3
"""Makes table.json: what another library (Python's zoneinfo and calendar) says about firings.

Run it by hand after a change of the table of zones: `python3 table.py > table.json`. It looks at every
quarter of an hour in UTC and asks what the clock on the wall shows, which is the other way round than
the engine does it.
"""
import calendar
import datetime as dt
import hashlib
import json
import zoneinfo

ZONES = ["America/Chicago", "Europe/Berlin", "Europe/London", "Australia/Sydney",
         "Australia/Lord_Howe", "America/Sao_Paulo"]
UTC = dt.timezone.utc
FROM = dt.datetime(2026, 1, 1, tzinfo=UTC)
TO = dt.datetime(2031, 1, 1, tzinfo=UTC)
QUARTER = dt.timedelta(minutes=15)
DAY = dt.timedelta(days=1)
HALF_PAST_TWO = dt.time(2, 30)


def quarters(zone):
    """Every quarter of an hour, two days more on both sides: (instant, local time)."""
    at = FROM - 2 * DAY
    while at < TO + 2 * DAY:
        yield at, at.astimezone(zone).replace(tzinfo=None)
        at += QUARTER


def walls(wanted):
    """All quarters of the wall that are wanted, whether they exist or not."""
    at = FROM.replace(tzinfo=None) - 2 * DAY
    while at < TO.replace(tzinfo=None) + 2 * DAY:
        if wanted(at):
            yield at
        at += QUARTER


def pushed(wall, zone):
    """The instant of a local time that does not exist: read with the offset before the jump."""
    return wall.replace(tzinfo=zone, fold=0).astimezone(UTC)


def firings(by_wall, zone, wanted, gap, fold):
    found = set()
    for wall in walls(wanted):
        there = by_wall.get(wall, [])
        if there:
            found.update({"first": there[:1], "second": there[-1:], "both": there}[fold])
        elif gap == "shift":
            found.add(pushed(wall, zone))
    return sorted(at for at in found if FROM <= at < TO)


SCHEDULES = {
    "daily": (lambda wall: wall.time() == HALF_PAST_TWO, "shift", "first"),
    "daily_skip_second": (lambda wall: wall.time() == HALF_PAST_TWO, "skip", "second"),
    "daily_half_past_one_both": (lambda wall: wall.time() == dt.time(1, 30), "shift", "both"),
    "weekly": (lambda wall: wall.weekday() == 6 and wall.time() == HALF_PAST_TWO, "shift", "first"),
    "hourly": (lambda wall: wall.minute == 0, "shift", "both"),
    "quarterly": (lambda wall: True, "shift", "both"),
}


def digest(instants):
    lines = "".join(f"{int(at.timestamp())}\n" for at in instants)
    return hashlib.sha256(lines.encode()).hexdigest()


def change_days(zone):
    day = FROM.date()
    while day < TO.date():
        start = dt.datetime.combine(day, dt.time(), zone)
        end = dt.datetime.combine(day + DAY, dt.time(), zone)
        if start.utcoffset() != end.utcoffset():
            yield day
        day += DAY


def elapsed_minutes(zone, day, opens, closes):
    at = lambda time: dt.datetime.combine(day, time, zone).astimezone(UTC)
    return int((at(closes) - at(opens)).total_seconds() // 60)


def on_day(instants, zone, day):
    return [int(at.timestamp()) for at in instants if at.astimezone(zone).date() == day]


def zone_table(name):
    zone = zoneinfo.ZoneInfo(name)
    by_wall = {}
    for at, wall in quarters(zone):
        by_wall.setdefault(wall, []).append(at)
    all_firings = {key: firings(by_wall, zone, *rest) for key, rest in SCHEDULES.items()}
    days = {}
    for day in change_days(zone):
        listed = {key: on_day(all_firings[key], zone, day)
                  for key in ("daily", "daily_skip_second", "daily_half_past_one_both")}
        counted = {key: len(on_day(all_firings[key], zone, day)) for key in ("hourly", "quarterly")}
        lengths = {"midnight_to_six": elapsed_minutes(zone, day, dt.time(0), dt.time(6)),
                   "two_to_six": elapsed_minutes(zone, day, dt.time(2), dt.time(6))}
        days[str(day)] = {**listed, **counted, **lengths}
    sums = {key: [len(found), digest(found)] for key, found in all_firings.items()}
    return {"sums": sums, "days": days}


def patch_tuesdays():
    """Second Tuesday and nine days, for 120 months."""
    for month in range(120):
        year, number = 2026 + month // 12, month % 12 + 1
        weeks = calendar.Calendar().monthdatescalendar(year, number)
        tuesdays = [week[1] for week in weeks if week[1].month == number]
        yield str(tuesdays[1] + 9 * DAY)


def main():
    table = {"zones": {name: zone_table(name) for name in ZONES}, "patch": list(patch_tuesdays())}
    print(json.dumps(table, separators=(",", ":")).replace('"20', '\n"20').replace('"sums"', '\n"sums"'))


main()
