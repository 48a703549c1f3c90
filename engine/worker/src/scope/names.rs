//! Which names an expression's text mentions. Over-reading costs a read; under-reading would be a
//! fault, so strings are skipped and everything else counts.

use std::collections::BTreeSet;

#[derive(Debug, Default)]
pub struct Names {
    pub roots: BTreeSet<String>,
    /// Ids behind `steps.`.
    pub steps: BTreeSet<String>,
    /// Steps of which more is wanted than the lane's own entry.
    wide: BTreeSet<String>,
}

impl Names {
    pub fn of<'a>(texts: impl Iterator<Item = &'a str>) -> Self {
        let mut names = Self::default();
        for text in texts {
            names.read(text);
        }
        names
    }

    /// Every mention of the step is `steps.<id>.by[<name>.id]`.
    pub fn own_entry_only(&self, step: &str) -> bool {
        self.steps.contains(step) && !self.wide.contains(step)
    }

    fn read(&mut self, text: &str) {
        let bytes = text.as_bytes();
        let mut at = 0;
        while at < bytes.len() {
            match bytes[at] {
                quote @ (b'\'' | b'"') => at = behind_string(bytes, at + 1, quote),
                b if is_name(b) && !b.is_ascii_digit() => at = self.path(text, at),
                _ => at += 1,
            }
        }
    }

    /// Reads one name and, behind `steps.`, the id. Returns the position behind both.
    fn path(&mut self, text: &str, from: usize) -> usize {
        let end = name_end(text, from);
        let root = &text[from..end];
        let is_member = from > 0 && text.as_bytes()[from - 1] == b'.';
        if is_member {
            return end;
        }
        self.roots.insert(root.to_owned());
        if root != "steps" || text.as_bytes().get(end) != Some(&b'.') {
            return end;
        }
        let id_end = name_end(text, end + 1);
        let id = &text[end + 1..id_end];
        self.steps.insert(id.to_owned());
        if !is_own_entry(&text[id_end..]) {
            self.wide.insert(id.to_owned());
        }
        id_end
    }
}

/// `.by[asset.id]` and the like.
fn is_own_entry(rest: &str) -> bool {
    let Some(inside) = rest.strip_prefix(".by[") else {
        return false;
    };
    let Some(end) = inside.find(']') else {
        return false;
    };
    inside[..end]
        .strip_suffix(".id")
        .is_some_and(|name| !name.is_empty() && name.bytes().all(is_name))
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn name_end(text: &str, from: usize) -> usize {
    text[from..]
        .bytes()
        .position(|byte| !is_name(byte))
        .map_or(text.len(), |length| from + length)
}

fn behind_string(bytes: &[u8], mut at: usize, quote: u8) -> usize {
    while at < bytes.len() && bytes[at] != quote {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    at + 1
}

#[cfg(test)]
mod tests {
    use super::Names;

    #[test]
    fn names_are_found_outside_strings() {
        let names =
            Names::of(["size(steps.scan.done) == 0 && x.steps.no != 'steps.never'"].into_iter());
        assert_eq!(names.steps.iter().collect::<Vec<_>>(), ["scan"]);
        assert!(names.roots.contains("size") && !names.roots.contains("no"));
    }

    #[test]
    fn an_own_entry_is_recognised_only_when_nothing_else_is_asked_of_the_step() {
        assert!(Names::of(["steps.scan.by[asset.id].set"].into_iter()).own_entry_only("scan"));
        assert!(
            !Names::of(["steps.scan.by[asset.id].set + steps.scan.done"].into_iter())
                .own_entry_only("scan")
        );
        assert!(!Names::of(["steps.scan.by['east'].down"].into_iter()).own_entry_only("scan"));
    }
}
