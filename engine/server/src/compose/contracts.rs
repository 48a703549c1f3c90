//! The neutral contracts that came with the program.

use hostler_core::contract::Contract;
use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "../../sdk/contracts"]
#[include = "*.json"]
struct Files;

/// All frozen contracts.
///
/// # Errors
/// Names the file that is none; a build in which the tests pass has no such file.
pub fn all() -> Result<Vec<Contract>, String> {
    let mut contracts = Vec::new();
    for name in Files::iter() {
        let Some(file) = Files::get(&name) else {
            continue;
        };
        contracts
            .push(serde_json::from_slice(&file.data).map_err(|fault| format!("{name}: {fault}"))?);
    }
    Ok(contracts)
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_contract_file_is_inside_and_reads() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../sdk/contracts");
        let is_contract =
            |path: &std::path::Path| path.extension().is_some_and(|end| end == "json");
        let files = std::fs::read_dir(folder)
            .unwrap()
            .filter(|entry| is_contract(&entry.as_ref().unwrap().path()));
        let contracts = super::all().unwrap();
        assert_eq!(contracts.len(), files.count());
        assert!(
            contracts
                .iter()
                .any(|contract| contract.name == "guest-patch" && contract.major == 1)
        );
    }
}
