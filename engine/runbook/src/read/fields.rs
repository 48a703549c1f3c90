//! The fields of one map: each is taken by name, what is left is unknown.

use super::Reader;
use crate::codes::{self, Code};
use crate::source::Span;
use crate::yaml::{Key, Kind, Node};

pub(super) struct Fields<'n> {
    entries: &'n [(Key, Node)],
    taken: Vec<bool>,
    known: Vec<&'static str>,
    pub span: Span,
    what: &'static str,
}

impl<'n> Fields<'n> {
    /// None (and a fault) when the node is no map.
    pub fn of(reader: &mut Reader<'_, '_>, node: &'n Node, what: &'static str) -> Option<Self> {
        match &node.kind {
            Kind::Map(entries) => Some(Self {
                entries,
                taken: vec![false; entries.len()],
                known: Vec::new(),
                span: node.span,
                what,
            }),
            _ => {
                reader.shape(node, what, "a map of fields");
                None
            }
        }
    }

    pub fn entry(&mut self, name: &'static str) -> Option<(&'n Key, &'n Node)> {
        self.known.push(name);
        let index = self.entries.iter().position(|(key, _)| key.text == name)?;
        self.taken[index] = true;
        Some((&self.entries[index].0, &self.entries[index].1))
    }

    pub fn take(&mut self, name: &'static str) -> Option<&'n Node> {
        self.entry(name).map(|(_, node)| node)
    }

    pub fn has(&self, name: &str) -> bool {
        self.entries.iter().any(|(key, _)| key.text == name)
    }

    /// Looked at, and not taken yet.
    pub fn peek(&self, name: &str) -> Option<&'n Node> {
        let found = self.entries.iter().find(|(key, _)| key.text == name);
        found.map(|(_, node)| node)
    }

    pub fn need(
        &mut self,
        reader: &mut Reader<'_, '_>,
        name: &'static str,
        example: &str,
    ) -> Option<&'n Node> {
        let found = self.take(name);
        if found.is_none() {
            reader.faults.add(
                codes::MISSING_FIELD,
                self.head(),
                format!("{} has no `{name}`", self.what),
                format!("add `{name}: {example}`"),
            );
        }
        found
    }

    /// A field that the language has and this engine does not act on: nobody shall believe in it.
    pub fn unenforced(
        &mut self,
        reader: &mut Reader<'_, '_>,
        name: &'static str,
        code: Code,
        remedy: &str,
    ) {
        if let Some((key, _)) = self.entry(name) {
            reader.faults.add(
                code,
                key.span,
                format!("this engine does not enforce `{name}` yet"),
                remedy,
            );
        }
    }

    /// What is left over.
    pub fn rest(&mut self) -> Vec<(&'n Key, &'n Node)> {
        let rest = self
            .entries
            .iter()
            .zip(&self.taken)
            .filter(|(_, taken)| !**taken)
            .map(|((key, node), _)| (key, node))
            .collect();
        self.taken.fill(true);
        rest
    }

    /// Complains about every field that nobody took.
    pub fn finish(mut self, reader: &mut Reader<'_, '_>) {
        let entries = self.entries;
        for (key, _) in self.rest() {
            // A key that stands twice was reported while reading.
            let twice = entries
                .iter()
                .any(|(other, _)| other.text == key.text && other.span.start < key.span.start);
            if twice || key.text == "<<" {
                continue;
            }
            let remedy = suggestion(&key.text, self.known.iter().copied()).map_or_else(
                || format!("{} has: {}", self.what, list(&self.known)),
                |near| format!("did you mean `{near}`?"),
            );
            reader.faults.add(
                codes::UNKNOWN_FIELD,
                key.span,
                format!("{} has no field `{}`", self.what, key.text),
                remedy,
            );
        }
    }

    /// The first key: where a fault about the whole map points.
    pub fn head(&self) -> Span {
        self.entries.first().map_or(self.span, |(key, _)| key.span)
    }
}

fn list(names: &[&'static str]) -> String {
    let mut names: Vec<_> = names.to_vec();
    names.sort_unstable();
    names.dedup();
    names.join(", ")
}

/// The candidate that differs from a word by least, if that is little.
pub(crate) fn suggestion<'c>(
    word: &str,
    candidates: impl IntoIterator<Item = &'c str>,
) -> Option<&'c str> {
    let limit = (word.chars().count() / 3).clamp(1, 3);
    candidates
        .into_iter()
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, candidate)| candidate)
}

/// Edits (insert, remove, replace, swap of neighbours) between two words; long words differ a lot.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) =
        (a.chars().take(64).collect(), b.chars().take(64).collect());
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for (i, row) in rows.iter_mut().enumerate() {
        row[0] = i;
    }
    for (j, cell) in rows[0].iter_mut().enumerate() {
        *cell = j;
    }
    for i in 1..=a.len() {
        for j in 1..=b.len() {
            let replace = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = replace.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = best;
        }
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::suggestion;

    #[test]
    fn a_slip_of_the_pen_is_understood_and_another_word_is_not() {
        let words = ["timeout", "retry", "on_failure", "notices"];
        assert_eq!(suggestion("timout", words), Some("timeout"));
        assert_eq!(suggestion("on_faliure", words), Some("on_failure"));
        assert_eq!(suggestion("rety", words), Some("retry"));
        assert_eq!(suggestion("banana", words), None);
    }
}
