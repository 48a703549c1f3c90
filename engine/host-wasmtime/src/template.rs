//! The folder of a new plugin, for `hostler plugin new`. The template is a plugin of this workspace, so it
//! always compiles and its tests pass; a new one differs in its name alone.
//!
//! Not here: writing files.

/// The template's own name, wherever it stands.
const TEMPLATE: &str = "template-platform";

macro_rules! file {
    ($path:literal) => {
        (
            $path,
            include_str!(concat!("../../../sdk/template/", $path)),
        )
    };
}

/// Path in the new folder, and text.
const FILES: [(&str, &str); 6] = [
    file!("Cargo.toml"),
    file!("README.md"),
    file!("src/lib.rs"),
    file!("src/healthy.rs"),
    file!("exchanges/a_server_that_answers_is_healthy.json"),
    file!("exchanges/an_error_page_is_not_health.json"),
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
        .map(|(path, text)| ((*path).to_owned(), text.replace(TEMPLATE, name)))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_plugin_differs_in_its_name_alone() {
        let files = plugin("my-platform").unwrap();
        assert_eq!(files.len(), FILES.len());
        assert!(files.iter().all(|(_, text)| !text.contains(TEMPLATE)));
        let has = |path: &str, part: &str| {
            files
                .iter()
                .any(|(found, text)| found == path && text.contains(part))
        };
        assert!(has("src/lib.rs", "name: \"my-platform\""));
        assert!(has("Cargo.toml", "name = \"hostler-plugin-my-platform\""));
    }

    #[test]
    fn a_name_that_is_no_crate_name_is_refused() {
        for name in ["", "a", "My", "1st", "a_b", "a/b", "../x", "a-", "a b"] {
            assert!(plugin(name).is_err(), "{name}");
        }
    }
}
