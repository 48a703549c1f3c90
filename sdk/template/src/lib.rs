//! The template-platform platform.
#![forbid(unsafe_code)]

mod healthy;

hostler_sdk::plugin! {
    name: "template-platform",
    actions: [healthy::Healthy],
}

#[cfg(test)]
mod tests {
    use super::PLUGIN;

    #[test]
    fn every_recorded_exchange_gives_the_expected_answer() {
        hostler_testkit::check_folder(&PLUGIN, concat!(env!("CARGO_MANIFEST_DIR"), "/exchanges"));
    }
}
