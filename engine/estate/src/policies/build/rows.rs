//! Rows of responsibilities: conditions, who owes it, and whether a row can match at all.

use super::{Builder, ENTRIES_MAX};
use crate::asset::{KINDS, os_names};
use crate::at::{At, Position};
use crate::fault::{Bad, nearest};
use crate::policies::duty::{DUTIES, Duty, OS_GROUPS, Row};
use crate::policies::file::{RawRow, ResponsibilitiesFile};
use crate::policies::source::Source;
use crate::schedules::choice::OneOrMany;
use crate::text;
use std::collections::BTreeSet;

/// Data levels: 1 (public) to 4.
const LEVEL_MAX: u8 = 4;

/// A row and where it says who owes it.
struct Read {
    row: Row,
    sound: bool,
    position: Position,
}

impl Builder<'_> {
    pub(super) fn responsibilities(&mut self, source: &Source<Option<ResponsibilitiesFile>>) {
        self.file = source.file;
        let Some(file) = &source.value else {
            return;
        };
        let raw = &file.responsibilities;
        if let Some(over) = raw.get(ENTRIES_MAX) {
            let message = format!("more than {ENTRIES_MAX} rows");
            self.fault(&over.owes, "HE050", message, "join rows that say the same");
        }
        let mut rows: Vec<Read> = Vec::new();
        for raw in raw.iter().take(ENTRIES_MAX) {
            let before = self.out.faults.len();
            let row = self.row(raw);
            // A condition that could not be read is missing: such a row is compared with no other.
            let sound = self.out.faults.len() == before;
            if sound {
                self.matchable(&row, raw, &rows);
            }
            rows.push(Read {
                row,
                sound,
                position: raw.owes.position,
            });
        }
        self.last_row(rows.last());
        self.policies.responsibilities = rows.into_iter().map(|read| read.row).collect();
    }

    fn row(&mut self, raw: &RawRow) -> Row {
        // What a step may say of itself: `refuse` is an answer, no duty of a step.
        let steps = DUTIES.map(|(word, _)| word);
        let steps = &steps[..DUTIES.len() - 1];
        Row {
            subject: self.ids(raw.subject.as_ref(), "subject"),
            duty: self.set(raw.duty.as_ref(), "duty", steps),
            service: self.ids(raw.service.as_ref(), "service"),
            kind: self.set(raw.kind.as_ref(), "kind", &KINDS),
            os: self.systems(raw.os.as_ref()),
            data_level: self.levels(raw.data_level.as_deref().unwrap_or_default()),
            owes: self
                .choice(&raw.owes, "owes", &DUTIES)
                .unwrap_or(Duty::Refuse),
            reason: self.line(&raw.reason, "reason"),
        }
    }

    /// The first word of each must be known: `debian-13` by `debian`.
    fn systems(&mut self, list: Option<&OneOrMany>) -> BTreeSet<String> {
        let mut set = BTreeSet::new();
        let groups = OS_GROUPS.iter().flat_map(|(name, members)| {
            let members = members.iter().copied();
            std::iter::once(*name).chain(members)
        });
        let known: BTreeSet<&str> = os_names().chain(groups).collect();
        for at in list.iter().flat_map(|list| &list.0) {
            let first = at.value.split('-').next().unwrap_or_default();
            if let Err(why) = text::id(&at.value) {
                self.bad(at, "os", why);
            } else if known.contains(first) {
                self.once(at, &mut set, at.value.clone());
            } else {
                let remedy = match nearest(first, known.iter().copied()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => {
                        let known: Vec<&str> = known.iter().copied().collect();
                        format!("write one of: {}", known.join(", "))
                    }
                };
                self.bad(at, "os", Bad::new("is no system that is known", remedy));
            }
        }
        set
    }

    fn levels(&mut self, list: &[At<u8>]) -> BTreeSet<u8> {
        let mut set = BTreeSet::new();
        for at in list {
            if (1..=LEVEL_MAX).contains(&at.value) {
                self.once(at, &mut set, at.value);
            } else {
                let remedy = format!("write 1 (public) to {LEVEL_MAX}");
                self.bad(at, "data_level", Bad::new("is no data level", remedy));
            }
        }
        set
    }

    /// One earlier row that fits wherever this one does. That several together do is not looked for.
    fn matchable(&mut self, row: &Row, raw: &RawRow, earlier: &[Read]) {
        let mut earlier = earlier.iter().filter(|read| read.sound);
        let Some(by) = earlier.find(|read| read.row.covers(row)) else {
            return;
        };
        let line = by.position.line;
        let message = format!("this row never matches: the row of line {line} does");
        let remedy = "move it before that row, or remove it";
        self.fault(&raw.owes, "HP107", message, remedy);
    }

    fn last_row(&mut self, last: Option<&Read>) {
        let (position, message) = match last {
            Some(read) if read.row.is_last() || !read.sound => return,
            Some(read) => (read.position, "the last row asks for something"),
            None => (Position { line: 1, column: 1 }, "there is no row"),
        };
        let remedy = "add a last row without conditions: `- { owes: refuse, reason: … }`";
        let message = format!("{message}, so that a step may be nobody's");
        self.out.add(self.file, position, "HP108", message, remedy);
    }
}
