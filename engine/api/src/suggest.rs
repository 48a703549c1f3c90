//! "Did you mean": the nearest known name, if it is near.

/// The known name that differs least, when it differs by at most a third of its letters.
#[must_use]
pub fn nearest<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let distance = |name: &&str| strsim::osa_distance(wrong, name);
    let best = known.into_iter().min_by_key(distance)?;
    (distance(&best) <= best.chars().count().div_ceil(3)).then_some(best)
}

/// `; did you mean x?` or the whole list.
#[must_use]
pub fn remedy(wrong: &str, known: &[&str]) -> String {
    match nearest(wrong, known.iter().copied()) {
        Some(name) => format!("did you mean {name}?"),
        None if known.is_empty() => "there is none".to_owned(),
        None => format!("known are: {}", known.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_near_names_are_suggested() {
        let known = ["state", "runbook", "since"];
        assert_eq!(nearest("stat", known), Some("state"));
        assert_eq!(nearest("runbok", known), Some("runbook"));
        assert_eq!(nearest("colour", known), None);
    }
}
