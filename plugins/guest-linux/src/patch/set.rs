//! The frozen set as text: `name=from>to`, sorted by name, joined by one blank.
//!
//! Not here: whether a set can be applied; only the server knows.

use hostler_sdk::Stop;

/// As much as fits beside everything else in a step's output.
pub const SET_MAX_BYTES: usize = 12 * 1024;

/// One package of a set.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Item<'a> {
    pub name: &'a str,
    /// Empty for a package that was not there.
    pub from: &'a str,
    pub to: &'a str,
}

/// # Errors
/// When an entry is not `name=from>to`, or a name comes twice.
pub fn parse(set: &str) -> Result<Vec<Item<'_>>, Stop> {
    if set.len() > SET_MAX_BYTES {
        return Err(Stop::reject(format!(
            "the set is longer than {SET_MAX_BYTES} bytes: scan again"
        )));
    }
    let mut items = set
        .split(' ')
        .filter(|entry| !entry.is_empty())
        .map(item)
        .collect::<Result<Vec<_>, _>>()?;
    items.sort();
    if let Some(pair) = items.windows(2).find(|pair| pair[0].name == pair[1].name) {
        return Err(Stop::reject(format!(
            "the set names {} twice: scan again",
            pair[0].name
        )));
    }
    Ok(items)
}

fn item(entry: &str) -> Result<Item<'_>, Stop> {
    let parts = entry.split_once('=').and_then(|(name, versions)| {
        let (from, to) = versions.split_once('>')?;
        (plain(name, "") && (from.is_empty() || plain(from, "^")) && plain(to, "^"))
            .then_some(Item { name, from, to })
    });
    parts.ok_or_else(|| {
        Stop::reject(format!(
            "`{entry}` of the set is not name=from>to: scan again"
        ))
    })
}

fn plain(text: &str, more: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "+.:~_-".contains(c) || more.contains(c))
}

pub fn text(items: &[Item<'_>]) -> String {
    let entries: Vec<String> = items
        .iter()
        .map(|item| format!("{}={}>{}", item.name, item.from, item.to))
        .collect();
    entries.join(" ")
}
