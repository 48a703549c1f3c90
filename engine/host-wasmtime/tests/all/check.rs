//! `check` against the neutral contracts.

use crate::component::{cache, evil, practice};
use hostler_core::contract::Contract;
use hostler_host_wasmtime::{HostConfig, SystemResolver, check};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

fn config() -> HostConfig {
    HostConfig {
        cache: cache(),
        connections: Arc::new(BTreeMap::new()),
        resolver: Arc::new(SystemResolver),
        secret_root: None,
    }
}

fn contracts() -> Vec<Contract> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../sdk/contracts");
    let paths = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let json = paths.filter(|path| {
        path.extension()
            .is_some_and(|extension| extension == "json")
    });
    json.map(|path| serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap())
        .collect()
}

#[tokio::test]
async fn the_practice_plugin_keeps_every_contract_that_it_names() {
    let report = check::check(config(), &practice(), &contracts()).await;
    assert_eq!(report.faults, Vec::<String>::new());
    assert_eq!(report.description.unwrap().name, "practice");
}

#[tokio::test]
async fn a_broken_contract_is_said_field_by_field() {
    let mut contracts = contracts();
    let contract = contracts
        .iter_mut()
        .find(|contract| contract.name == "practice")
        .unwrap();
    let noop = &mut contract.actions[0];
    noop.effect = hostler_core::contract::Effect::Once;
    noop.input = serde_json::json!({ "properties": { "n": {}, "more": {} } });
    noop.output = serde_json::json!({ "properties": { "n": {}, "sum": {} }, "required": ["sum"] });
    let report = check::check(config(), &practice(), &contracts).await;
    let found = report.faults.join("\n");
    for expected in [
        "effect is Read",
        "insists on the input `n`",
        "does not take the contract's input `more`",
        "does not always have `sum`",
    ] {
        assert!(
            found.contains(expected),
            "{expected} is missing in: {found}"
        );
    }
}

#[tokio::test]
async fn what_is_no_plugin_is_unfit() {
    assert!(!check::check(config(), b"\0asm", &[]).await.fit());
    let report = check::check(config(), &evil(), &[]).await;
    assert!(report.fit() && !report.remarks.is_empty(), "{report:?}");
}
