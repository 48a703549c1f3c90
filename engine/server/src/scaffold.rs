//! Files of a new runbook, for `hostler runbook new`.

/// Path below the new folder, and text with `{{name}}`.
const FILES: [(&str, &str); 2] = [
    ("v1.yaml", include_str!("../templates/runbook.yaml.txt")),
    ("README.md", include_str!("../templates/runbook.md.txt")),
];

/// # Errors
/// When the name is not 2 to 40 lower-case letters, digits and `-`, beginning with a letter.
pub fn runbook(name: &str) -> Result<Vec<(String, String)>, String> {
    let plain = (2..=40).contains(&name.len())
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if !plain {
        return Err(format!(
            "{name:?} is no name for a runbook: 2 to 40 lower-case letters, digits and `-`, e.g. disk-check"
        ));
    }
    Ok(FILES
        .iter()
        .map(|(path, text)| ((*path).to_owned(), text.replace("{{name}}", name)))
        .collect())
}

#[cfg(test)]
mod tests {
    use crate::compose::library::{Library, Texts, environment};
    use hostler_api::catalogue::Runbooks;

    #[test]
    fn a_new_runbook_has_no_faults() {
        let texts: Texts = super::runbook("disk-check")
            .unwrap()
            .into_iter()
            .map(|(path, text)| (format!("disk-check/{path}"), text))
            .collect();
        let library = Library::new("", &texts, environment(None).unwrap());
        let rows = library.list();
        assert_eq!(rows[0].faults, Vec::<String>::new());
    }

    #[test]
    fn names_that_could_be_paths_are_refused() {
        for name in [
            "",
            "x",
            "../x",
            "Disk",
            "disk check",
            "1disk",
            &"x".repeat(41),
        ] {
            assert!(super::runbook(name).is_err(), "{name}");
        }
    }
}
