//! The folder of a new plugin, for `hostler plugin new`.
//!
//! Not here: writing files.

/// One file of the template: its path in the new folder, and its text with `{{name}}` and `{{Name}}`.
const FILES: [(&str, &str); 6] = [
    (
        "Cargo.toml",
        include_str!("../../../sdk/template/Cargo.toml.txt"),
    ),
    ("README.md", include_str!("../../../sdk/template/README.md")),
    (
        "src/lib.rs",
        include_str!("../../../sdk/template/src/lib.rs.txt"),
    ),
    (
        "src/healthy.rs",
        include_str!("../../../sdk/template/src/healthy.rs.txt"),
    ),
    (
        "exchanges/a_server_that_answers_is_healthy.json",
        include_str!("../../../sdk/template/exchanges/healthy.json"),
    ),
    (
        "exchanges/an_error_page_is_not_health.json",
        include_str!("../../../sdk/template/exchanges/unhealthy.json"),
    ),
];

/// The files of a new plugin: path and text.
///
/// # Errors
/// When the name is not 2 to 40 lower-case letters, digits and `-`, beginning with a letter.
pub fn plugin(name: &str) -> Result<Vec<(String, String)>, String> {
    let plain = (2..=40).contains(&name.len())
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && !name.ends_with('-')
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if !plain {
        return Err(format!(
            "{name:?} is no name for a plugin: 2 to 40 lower-case letters, digits and `-`, e.g. `my-platform`"
        ));
    }
    Ok(FILES
        .iter()
        .map(|(path, text)| ((*path).to_owned(), text.replace("{{name}}", name)))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_names_the_new_plugin_everywhere() {
        let files = plugin("my-platform").unwrap();
        assert_eq!(files.len(), FILES.len());
        for (path, text) in &files {
            assert!(!text.contains("{{"), "{path} has an unfilled place");
        }
        assert!(
            files
                .iter()
                .any(|(path, text)| path == "src/lib.rs" && text.contains("name: \"my-platform\""))
        );
    }

    #[test]
    fn a_name_that_is_no_crate_name_is_refused() {
        for name in ["", "a", "My", "1st", "a_b", "a/b", "../x", "a-", "a b"] {
            assert!(plugin(name).is_err(), "{name}");
        }
    }
}
