//! Folders that several machines would have to share.
//!
//! Not here: whether they really do. Whoever runs them says so.

use crate::config::Config;
use anyhow::bail;

/// # Errors
/// When a folder would hold for one machine what all that work upon the store must find.
pub fn check(config: &Config) -> anyhow::Result<()> {
    let (archive, ledger) = (&config.archive, &config.ledger);
    let parts = [
        (
            "archive",
            &archive.folder,
            archive.shared || archive.folder.is_empty(),
        ),
        (
            "ledger",
            &ledger.folder,
            ledger.shared || ledger.key_file.is_empty(),
        ),
    ];
    for (name, folder, is_fine) in parts {
        if config.store.kind == "redis" && !is_fine {
            bail!(
                "{name}.folder {folder}: several machines may work upon one Redis, and what one of them puts \
                 there the others must find; use a folder that all of them see, and say so with \
                 {name}.shared = true"
            );
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(kind: &str) -> Config {
        let mut config = Config::default();
        config.store.kind = kind.to_owned();
        config
    }

    #[test]
    fn a_folder_of_one_machine_is_refused_upon_a_store_of_several() {
        let mut redis = config("redis");
        assert!(check(&redis).is_ok());
        redis.archive.folder = "archive".to_owned();
        let said = check(&redis).unwrap_err().to_string();
        assert!(said.contains("archive.shared = true"), "{said}");
        redis.archive.shared = true;
        assert!(check(&redis).is_ok());
        redis.ledger.key_file = "ledger.key".to_owned();
        let said = check(&redis).unwrap_err().to_string();
        assert!(said.contains("ledger.shared = true"), "{said}");
    }

    #[test]
    fn one_machine_has_its_folders_for_itself() {
        let mut embedded = config("embedded");
        embedded.archive.folder = "archive".to_owned();
        embedded.ledger.key_file = "ledger.key".to_owned();
        assert!(check(&embedded).is_ok());
    }
}
