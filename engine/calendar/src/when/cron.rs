//! Five cron fields: read and matched by the crate `cron`, never walked by it.
//!
//! Its own iterator loses and doubles firings when the clock is changed, and it counts weekdays from
//! 1 for Sunday; here a number means what it means in every crontab (0 or 7 for Sunday).

use crate::fault::TextFault;
use crate::words::{self, WEEKDAYS, Word};
use cron::TimeUnitSpec as _;
use jiff::civil::{Date, Time};
use std::str::FromStr;

const REMEDY: &str = "write five fields: minute hour day month weekday, such as `30 2 * * mon-fri`";
const NAMES: [&str; 4] = ["minute", "hour", "day", "month"];
/// Longest field in bytes, list of all minutes included.
const FIELD_MAX_BYTES: usize = 200;

/// A cron expression.
#[derive(Clone, Debug)]
pub struct Cron {
    text: String,
    fields: cron::Schedule,
    times: Vec<Time>,
    recurs: bool,
}

impl PartialEq for Cron {
    fn eq(&self, other: &Self) -> bool {
        self.fields == other.fields
    }
}

impl Eq for Cron {}

impl Cron {
    /// # Errors
    /// With the place of the field that is wrong.
    pub fn parse(text: &str) -> Result<Self, TextFault> {
        words::bounded(text, REMEDY)?;
        let fields = fields(text);
        let [minute, hour, day, month, weekday] = fields.as_slice() else {
            return Err(not_five(text, fields.len()));
        };
        let weekdays = weekdays(weekday)?;
        if !is_any(day) && weekdays != "*" {
            return Err(weekday.fault(
                "day and weekday are both narrowed: some cron programs want either, some both",
                "keep one of them; for `the second tuesday` write `when: second tuesday` and `at`",
            ));
        }
        for (place, word) in [minute, hour, day, month].into_iter().enumerate() {
            field(word, place)?;
        }
        let whole = format!(
            "0 {} {} {} {} {weekdays}",
            minute.text, hour.text, day.text, month.text
        );
        let fields = cron::Schedule::from_str(&whole)
            .map_err(|_| TextFault::new(0, text.len(), "the fields do not go together", REMEDY))?;
        Ok(Self {
            text: text.trim().to_owned(),
            times: times(&fields),
            recurs: [minute, hour]
                .iter()
                .any(|word| word.text.contains(['*', '/', '-'])),
            fields,
        })
    }

    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether days and weekdays allow this date.
    #[must_use]
    pub fn matches(&self, date: Date) -> bool {
        let number = |value: i8| u32::try_from(value).unwrap_or_default();
        self.fields.months().includes(number(date.month()))
            && self.fields.days_of_month().includes(number(date.day()))
            // The crate counts from 1 for Sunday.
            && self.fields.days_of_week().includes(number(date.weekday().to_sunday_one_offset()))
    }

    /// The times of a day that matches, in order.
    #[must_use]
    pub fn times(&self) -> &[Time] {
        &self.times
    }

    /// Whether it means a pattern (`*/15`) and not times of day by name: then it follows the running
    /// clock, also through an hour that comes twice.
    #[must_use]
    pub fn recurs(&self) -> bool {
        self.recurs
    }
}

fn not_five(text: &str, count: usize) -> TextFault {
    let remedy = match count {
        6 | 7 => format!("{REMEDY}; seconds and years are not offered"),
        _ => REMEDY.to_owned(),
    };
    let message = format!("{count} fields, not five");
    TextFault::new(0, text.trim_end().len(), message, remedy)
}

fn fields(text: &str) -> Vec<Word<'_>> {
    let offset = |word: &str| word.as_ptr() as usize - text.as_ptr() as usize;
    let words = text.split_ascii_whitespace();
    words
        .map(|word| Word {
            text: word,
            offset: offset(word),
        })
        .collect()
}

fn is_any(word: &Word<'_>) -> bool {
    ["*", "?"].contains(&word.text)
}

fn times(fields: &cron::Schedule) -> Vec<Time> {
    let small = |value: u32| i8::try_from(value).unwrap_or_default();
    let minutes = || fields.minutes().iter();
    let times = fields
        .hours()
        .iter()
        .flat_map(|hour| minutes().map(move |minute| Time::new(small(hour), small(minute), 0, 0)));
    times.flatten().collect()
}

/// Has one field read by the crate alone, so that it is known which one is wrong; the minute has place
/// 0.
fn field(word: &Word<'_>, place: usize) -> Result<(), TextFault> {
    let bad =
        |remedy: String| word.fault(format!("`{}` is no {}", word.text, NAMES[place]), remedy);
    if word.text.len() > FIELD_MAX_BYTES {
        return Err(bad("make it shorter".to_owned()));
    }
    if NAMES[place] == "day" && word.text.ends_with(['L', 'l', 'W', 'w']) {
        return Err(bad(
            "write `when: last day` or `when: last business day`, and `at`".to_owned(),
        ));
    }
    step(word)?;
    let mut probe = ["0", "0", "0", "*", "*", "*"];
    probe[place + 1] = word.text;
    let bounds = ["0 to 59", "0 to 23", "1 to 31", "1 to 12 or jan to dec"][place];
    let remedy = || {
        format!("write `*`, a number from {bounds}, a list `1,3`, a range `1-5` or a step `*/2`")
    };
    match cron::Schedule::from_str(&probe.join(" ")) {
        Ok(_) => Ok(()),
        Err(_) => Err(bad(remedy())),
    }
}

/// A step is 1 or more.
fn step(word: &Word<'_>) -> Result<(), TextFault> {
    for part in word.text.split(',') {
        if let Some((_, step)) = part.split_once('/')
            && !step.parse::<u8>().is_ok_and(|step| step > 0)
        {
            return Err(word.fault(format!("`{step}` is no step"), "write `*/15`"));
        }
    }
    Ok(())
}

/// The weekdays of a field by name, which leaves no doubt about numbers.
fn weekdays(word: &Word<'_>) -> Result<String, TextFault> {
    if is_any(word) {
        return Ok("*".to_owned());
    }
    step(word)?;
    let mut days = [false; 7];
    let mut offset = word.offset;
    for part in word.text.split(',') {
        let place = Word { text: part, offset };
        let (range, step) = part.split_once('/').unwrap_or((part, "1"));
        let step: usize = step.parse().unwrap_or(1);
        let (from, to) = range_of(&place, range)?;
        for day in (from..=to).step_by(step) {
            days[day % 7] = true;
        }
        offset += part.len() + 1;
    }
    if days == [true; 7] {
        return Ok("*".to_owned());
    }
    let names = SUNDAY_FIRST.iter().zip(days).filter(|(_, on)| *on);
    Ok(names.map(|(name, _)| *name).collect::<Vec<_>>().join(","))
}

const SUNDAY_FIRST: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/// First and last day, Sunday 0; the last is up to 13 when the range passes the end of the week.
fn range_of(word: &Word<'_>, range: &str) -> Result<(usize, usize), TextFault> {
    if range == "*" {
        return Ok((0, 6));
    }
    let (from, to) = match range.split_once('-') {
        Some((from, to)) => (day(word, from)?, day(word, to)?),
        None => {
            let only = day(word, range)?;
            (
                only,
                if word.text.contains('/') {
                    6.max(only)
                } else {
                    only
                },
            )
        }
    };
    Ok((from, if to < from { to + 7 } else { to }))
}

fn day(word: &Word<'_>, text: &str) -> Result<usize, TextFault> {
    let lower = text.to_ascii_lowercase();
    if let Ok(number) = lower.parse::<usize>()
        && number <= 7
        && lower.len() == 1
    {
        return Ok(number);
    }
    let found = words::weekday_short(&lower).or_else(|| words::weekday(&lower));
    match found {
        Some(day) => Ok(usize::try_from(day.to_sunday_zero_offset()).unwrap_or_default()),
        None => Err(word.fault(format!("`{text}` is no weekday"), hint(&lower))),
    }
}

/// `tue#2` and `5L` are other programs' words for what has a name here.
fn hint(text: &str) -> String {
    let name_of = |text: &str| {
        let begin = text.get(..3).unwrap_or(text);
        let number = text
            .parse::<usize>()
            .ok()
            .map(|number| SUNDAY_FIRST[number % 7].to_ascii_lowercase());
        let day = words::weekday_short(number.as_deref().unwrap_or(begin));
        day.map_or("tuesday", words::weekday_name)
    };
    if let Some((day, nth)) = text.split_once('#') {
        let nth = nth
            .parse::<usize>()
            .ok()
            .filter(|nth| (1..=5).contains(nth))
            .unwrap_or(2);
        return format!(
            "write `when: {} {}` and `at`",
            words::ORDINALS[nth - 1],
            name_of(day)
        );
    }
    if let Some(day) = text.strip_suffix('l') {
        return format!("write `when: last {}` and `at`", name_of(day));
    }
    let known = WEEKDAYS.map(|(name, _)| &name[..3]);
    words::remedy(text.get(..3).unwrap_or(text), &known)
}
