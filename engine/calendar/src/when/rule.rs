//! Rules for days as text: `second tuesday + 9 days`, `last business day - 2bd`, `day 15`.
//!
//! Not here: the dates that they name.

use super::days::{Base, DayRule, OFFSET_MAX_DAYS};
use crate::fault::TextFault;
use crate::words::{self, ORDINALS, WEEKDAYS, Word};
use std::fmt;

pub(super) const REMEDY: &str = "write `daily`, `tuesday`, `day 15`, `business day`, `second tuesday + 2 days` or `last business day - 2bd`";
const UNITS: [&str; 8] = ["day", "days", "d", "bd", "week", "weeks", "w", "business"];
/// `2nd` is understood, but there is one way to write it.
const SHORT_ORDINALS: [(&str, &str); 5] = [
    ("1st", "first"),
    ("2nd", "second"),
    ("3rd", "third"),
    ("4th", "fourth"),
    ("5th", "fifth"),
];

/// # Errors
/// With the place of the first wrong word.
pub fn parse(text: &str) -> Result<DayRule, TextFault> {
    words::bounded(text, REMEDY)?;
    let lower = text.to_ascii_lowercase();
    let words = words::words(&lower);
    let mut rest = Rest {
        words: &words,
        end: text.trim_end().len(),
    };
    let base = base(&mut rest)?;
    let (offset, offset_is_business) = offset(&mut rest, base)?;
    match rest.next() {
        Some(word) => Err(word.fault(format!("`{}` is too much", word.text), REMEDY)),
        None => Ok(DayRule {
            base,
            offset,
            offset_is_business,
        }),
    }
}

struct Rest<'a> {
    words: &'a [Word<'a>],
    end: usize,
}

impl<'a> Rest<'a> {
    fn next(&mut self) -> Option<Word<'a>> {
        let (first, rest) = self.words.split_first()?;
        self.words = rest;
        Some(*first)
    }

    fn missing(&self, what: &str, remedy: impl Into<String>) -> TextFault {
        TextFault::new(self.end, 0, format!("{what} is missing at the end"), remedy)
    }

    /// The word `day` after `business`.
    fn day(&mut self) -> Result<(), TextFault> {
        match self.next() {
            Some(word) if ["day", "days"].contains(&word.text) => Ok(()),
            Some(word) => Err(word.fault(
                format!("`{}` does not follow `business`", word.text),
                "write `business day`",
            )),
            None => Err(self.missing("`day`", "write `business day`")),
        }
    }
}

fn base(rest: &mut Rest<'_>) -> Result<Base, TextFault> {
    let Some(word) = rest.next() else {
        return Err(rest.missing("a day", REMEDY));
    };
    if let Some(day) = words::weekday(word.text) {
        return Ok(Base::Weekly(day));
    }
    match word.text {
        "daily" => Ok(Base::Daily),
        "business" => rest.day().map(|()| Base::EachBusinessDay),
        "day" => day_of_month(rest),
        text => match ORDINALS.iter().position(|name| *name == text) {
            Some(number) => nth(rest, &word, number),
            None => Err(unknown_base(&word)),
        },
    }
}

fn unknown_base(word: &Word<'_>) -> TextFault {
    let mut known: Vec<&str> = WEEKDAYS.iter().map(|(name, _)| *name).collect();
    known.extend(ORDINALS);
    known.extend(["daily", "day", "business"]);
    let short = SHORT_ORDINALS.iter().find(|(short, _)| *short == word.text);
    let meant = short.map(|(_, name)| *name);
    let near = meant.or_else(|| words::nearest(word.text, &known));
    let remedy = near.map_or(REMEDY.to_owned(), |name| format!("did you mean `{name}`?"));
    word.fault(format!("`{}` is no rule for days", word.text), remedy)
}

fn day_of_month(rest: &mut Rest<'_>) -> Result<Base, TextFault> {
    let remedy = "write `day 15` (1 to 31), or `last day`";
    let Some(word) = rest.next() else {
        return Err(rest.missing("the number of the day", remedy));
    };
    let number = word.text.parse::<i8>().ok();
    match number.filter(|number| (1..=31).contains(number)) {
        Some(number) => Ok(Base::DayOfMonth(number)),
        None => Err(word.fault(format!("`{}` is no day of a month", word.text), remedy)),
    }
}

/// What follows an ordinal; `number` is its place in [`ORDINALS`].
fn nth(rest: &mut Rest<'_>, ordinal: &Word<'_>, number: usize) -> Result<Base, TextFault> {
    let nth = match i8::try_from(number) {
        Ok(number) if number < 5 => number + 1,
        _ => -1,
    };
    let remedy = format!(
        "write `{0} tuesday`, `{0} business day` or `{0} day`",
        ordinal.text
    );
    let Some(word) = rest.next() else {
        return Err(rest.missing("a weekday", remedy));
    };
    match word.text {
        "business" => rest.day().map(|()| Base::NthBusinessDay(nth)),
        "day" if nth < 0 => Ok(Base::LastDay),
        "day" => Ok(Base::DayOfMonth(nth)),
        text => match words::weekday(text) {
            Some(day) => Ok(Base::NthWeekday(nth, day)),
            None => {
                let mut known: Vec<&str> = WEEKDAYS.iter().map(|(name, _)| *name).collect();
                known.extend(["day", "business"]);
                let near = words::nearest(text, &known);
                let remedy = near.map_or(remedy, |near| format!("did you mean `{near}`?"));
                Err(word.fault(format!("`{text}` is no weekday"), remedy))
            }
        },
    }
}

/// Signed days, and whether they are business days; 0 when there is no offset.
fn offset(rest: &mut Rest<'_>, base: Base) -> Result<(i32, bool), TextFault> {
    let Some(sign) = rest
        .words
        .first()
        .filter(|word| ["+", "-"].contains(&word.text))
    else {
        return Ok((0, false));
    };
    if matches!(base, Base::Daily | Base::EachBusinessDay) {
        let message = "every day moved by days is every day";
        return Err(sign.fault(message, "leave the offset out"));
    }
    let sign = rest
        .next()
        .map_or(1, |word| if word.text == "-" { -1 } else { 1 });
    let remedy = "write `+ 9 days`, `+ 1 week` or `- 2bd`";
    let Some(word) = rest.next() else {
        return Err(rest.missing("the number of days", remedy));
    };
    let digits = word.text.bytes().take_while(u8::is_ascii_digit).count();
    let number = word.text[..digits]
        .parse::<u32>()
        .ok()
        .filter(|number| *number > 0);
    let Some(number) = number else {
        return Err(word.fault(format!("`{}` is no number of days", word.text), remedy));
    };
    let (days, is_business) = unit(rest, &word, digits)?;
    let total = number.saturating_mul(days);
    if total > OFFSET_MAX_DAYS {
        let message = format!("{total} days are more than {OFFSET_MAX_DAYS}");
        return Err(word.fault(message, "begin from another day"));
    }
    Ok((sign * i32::try_from(total).unwrap_or_default(), is_business))
}

/// Days of the unit after the digits of `number`, or of the next word.
fn unit(rest: &mut Rest<'_>, number: &Word<'_>, digits: usize) -> Result<(u32, bool), TextFault> {
    let joined = Word {
        text: &number.text[digits..],
        offset: number.offset + digits,
    };
    let word = if joined.text.is_empty() {
        rest.next()
    } else {
        Some(joined)
    };
    let Some(word) = word else {
        let remedy = format!("write `{0} days`, `{0}bd` or `{0} weeks`", number.text);
        return Err(rest.missing("the unit", remedy));
    };
    match word.text {
        "d" | "day" | "days" => Ok((1, false)),
        "w" | "week" | "weeks" => Ok((7, false)),
        "bd" => Ok((1, true)),
        "business" => rest.day().map(|()| (1, true)),
        text => Err(word.fault(
            format!("`{text}` is no unit of days"),
            words::remedy(text, &UNITS),
        )),
    }
}

/// The rule as [`parse`] reads it back.
pub(super) fn write(rule: &DayRule, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let ordinal = |nth: i8| match usize::try_from(nth) {
        Ok(nth) => ORDINALS
            .get(nth.saturating_sub(1))
            .copied()
            .unwrap_or("fifth"),
        Err(_) => "last",
    };
    match rule.base {
        Base::Daily => f.write_str("daily")?,
        Base::Weekly(day) => f.write_str(words::weekday_name(day))?,
        Base::EachBusinessDay => f.write_str("business day")?,
        Base::DayOfMonth(day) => write!(f, "day {day}")?,
        Base::LastDay => f.write_str("last day")?,
        Base::NthWeekday(nth, day) => write!(f, "{} {}", ordinal(nth), words::weekday_name(day))?,
        Base::NthBusinessDay(nth) => write!(f, "{} business day", ordinal(nth))?,
    }
    let sign = if rule.offset < 0 { '-' } else { '+' };
    match (rule.offset.unsigned_abs(), rule.offset_is_business) {
        (0, _) => Ok(()),
        (days, true) => write!(f, " {sign} {days}bd"),
        (1, false) => write!(f, " {sign} 1 day"),
        (days, false) => write!(f, " {sign} {days} days"),
    }
}
