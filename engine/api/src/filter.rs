//! The one filter grammar: `state:failed runbook:monthly-patch since:7d`. Terms must all hold;
//! values separated by commas are alternatives; `*` stands for any text.

use crate::problem::{Code, Problem};
use crate::suggest;
use hostler_core::duration::parse_ms;
use hostler_core::view::RunRow;

const KEYS: [&str; 5] = ["state", "runbook", "starter", "since", "run"];
/// States that are no results.
const LIVE: [&str; 4] = ["running", "waiting", "paused", "stopping"];
const TERMS_MAX: usize = 20;

/// A filter over runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunFilter {
    terms: Vec<(String, Vec<String>)>,
    since_ms: Option<u64>,
}

impl RunFilter {
    /// # Errors
    /// `malformed`, naming the term.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let mut filter = Self::default();
        for term in text.split_whitespace() {
            if filter.terms.len() >= TERMS_MAX {
                return Err(
                    fault(term, "too many terms").remedy(format!("use at most {TERMS_MAX}"))
                );
            }
            let (key, value) = term.split_once(':').ok_or_else(|| {
                fault(term, "it has no key")
                    .remedy(format!("write key:value with one of {}", KEYS.join(", ")))
            })?;
            if !KEYS.contains(&key) {
                return Err(fault(term, "the key is unknown").remedy(suggest::remedy(key, &KEYS)));
            }
            if key == "since" {
                let ms = parse_ms(value)
                    .ok_or_else(|| fault(term, "not a duration").remedy("write 7d, 12h or 30m"))?;
                filter.since_ms = Some(ms);
            } else {
                filter.terms.push((
                    key.to_owned(),
                    value.split(',').map(str::to_owned).collect(),
                ));
            }
        }
        Ok(filter)
    }

    #[must_use]
    pub fn matches(&self, row: &RunRow, now_ms: i64) -> bool {
        !self.is_before(row.started_ms, now_ms)
            && self
                .terms
                .iter()
                .all(|(key, wanted)| holds(row, key, wanted))
    }

    /// Older than `since`: lists that are sorted by start end here.
    #[must_use]
    pub fn is_before(&self, started_ms: i64, now_ms: i64) -> bool {
        self.since_ms
            .is_some_and(|ms| started_ms < now_ms.saturating_sub_unsigned(ms))
    }
}

fn holds(row: &RunRow, key: &str, wanted: &[String]) -> bool {
    let run = row.run.to_string();
    let value = match key {
        "state" => row.state.as_str(),
        "runbook" => row.runbook.as_str(),
        "starter" => row.starter.as_str(),
        _ => return wanted.iter().any(|wanted| run.starts_with(wanted.as_str())),
    };
    let live = LIVE.contains(&value);
    wanted.iter().any(|wanted| match (key, wanted.as_str()) {
        ("state", "live") => live,
        ("state", "ended") => !live,
        _ => fits(value, wanted),
    })
}

/// `*` stands for any text.
fn fits(value: &str, pattern: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else {
        return value == pattern;
    };
    let Some(mut left) = value.strip_prefix(first) else {
        return false;
    };
    let parts: Vec<&str> = rest.split('*').collect();
    let Some((last, middle)) = parts.split_last() else {
        return true;
    };
    for part in middle {
        match left.find(part) {
            Some(at) => left = &left[at + part.len()..],
            None => return false,
        }
    }
    left.ends_with(last)
}

fn fault(term: &str, why: &str) -> Problem {
    Problem::new(Code::Malformed, format!("filter, at `{term}`: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use hostler_core::id::{Digest, RunId};

    const NOW_MS: i64 = 1_000_000_000_000;

    fn row(state: &str, runbook: &str, age_ms: i64) -> RunRow {
        RunRow {
            run: RunId(uuid::Uuid::from_u128(0xabcd << 112)),
            runbook: runbook.into(),
            version: 1,
            title: String::new(),
            state: state.into(),
            starter: "olga".into(),
            reason: None,
            started_ms: NOW_MS - age_ms,
            ended_ms: None,
            step: None,
            note: None,
            definition: Digest::of(b""),
            plan: Digest::of(b""),
            targets: 0,
            retry_of: None,
        }
    }

    #[test]
    fn terms_must_all_hold_and_values_are_alternatives() {
        let failed = row("failed", "monthly-patch", 3_600_000);
        let cases = [
            ("", true),
            ("state:failed", true),
            ("state:succeeded,failed", true),
            ("state:ended", true),
            ("state:live", false),
            ("state:failed runbook:monthly-*", true),
            ("runbook:*-patch", true),
            ("runbook:m*y-p*h", true),
            ("runbook:probe", false),
            ("state:failed starter:pat", false),
            ("since:2h", true),
            ("since:30m", false),
            ("run:abcd", true),
            ("run:abce", false),
        ];
        for (text, expected) in cases {
            assert_eq!(
                RunFilter::parse(text).unwrap().matches(&failed, NOW_MS),
                expected,
                "{text}"
            );
        }
    }

    #[test]
    fn a_wrong_term_is_named_with_its_remedy() {
        for (text, remedy) in [
            ("stat:failed", "did you mean state?"),
            ("failed", "write key:value"),
            ("since:soon", "write 7d"),
        ] {
            let problem = RunFilter::parse(text).unwrap_err();
            assert_eq!(problem.code, Code::Malformed);
            assert!(problem.remedy.unwrap().contains(remedy), "{text}");
        }
    }
}
