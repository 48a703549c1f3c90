//! What is asked of customers before their servers are disturbed: the stricter of a class and a contract.
//!
//! Not here: who has agreed, and what a missing yes holds.

use crate::model::Estate;
use crate::policies::{Consent, consent_without_files};
use hostler_core::consent::{ConsentKind, Required};

/// See `Directory::consent`.
pub fn required(estate: &Estate, customer: &str, class: &str) -> Option<Required> {
    let known = estate.customers.get(customer)?;
    let of_class = match &estate.policies {
        Some(policies) => policies.consent(class),
        None => consent_without_files().get(class).copied(),
    };
    let contract = known.contract.as_ref();
    let contract = contract.and_then(|contract| of_contract(&contract.consent));
    let by_contract = contract.map(|kind| Required {
        kind,
        from: format!("the contract of {customer}"),
    });
    let by_class = match of_class {
        // An emergency asks nobody.
        Some(Consent::NotifyOnly) => return None,
        Some(Consent::Explicit) => Some(ConsentKind::Explicit),
        Some(Consent::Tacit { business_days }) => Some(ConsentKind::Tacit { business_days }),
        None => None,
    };
    let by_class = by_class.map(|kind| Required {
        kind,
        from: format!("consent.yaml for {class}"),
    });
    // Of equals the last one is named: what was agreed with the customer itself.
    let both = by_class.into_iter().chain(by_contract);
    both.max_by_key(|required| required.kind)
}

/// `none`: nothing; what cannot be counted is the strictest.
fn of_contract(text: &str) -> Option<ConsentKind> {
    let silence = text.strip_prefix("tacit-");
    let days = silence.and_then(|rest| rest.strip_suffix("bd")?.parse().ok());
    match (text, days) {
        ("none", _) => None,
        (_, Some(business_days)) => Some(ConsentKind::Tacit { business_days }),
        _ => Some(ConsentKind::Explicit),
    }
}

#[cfg(test)]
mod tests {
    use crate::{Estate, Known, load, policies};
    use hostler_core::consent::Required;
    use hostler_core::directory::Directory;
    use hostler_core::plan::Starter;

    fn estate(contract: &str, consent: Option<&str>) -> Estate {
        let text = format!(
            "realm: main\nzone: UTC\ncustomers:\n  chem: {{ name: Chem, {contract}people: [{{ id: ada, mail: ada@chem.example, roles: [owner, notices] }}] }}\nconnections:\n  one: {{ plugin: practice, url: \"https://one.example/\" }}\nassets:\n  web1: {{ customer: chem, kind: virtual, os: debian-13, via: {{ guest: one }} }}\n"
        );
        let read = |_: &str| Ok(text.clone());
        let estate = load(&["estate.yaml"], &read, &Known::default());
        let estate = estate.unwrap_or_else(|faults| panic!("{faults}"));
        let Some(consent) = consent else {
            return estate;
        };
        let read = |_: &str| Ok(format!("consent: {{ {consent} }}\n"));
        let known = policies::Known::of(&estate);
        let read = policies::load(&["consent.yaml"], &read, &known);
        estate.under(read.unwrap_or_else(|faults| panic!("{faults}")))
    }

    fn binds(contract: &str, consent: Option<&str>, class: &str) -> Option<String> {
        let estate = estate(contract, consent);
        estate.consent("chem", class).as_ref().map(Required::rule)
    }

    #[test]
    fn the_stricter_of_class_and_contract_binds_and_what_is_only_told_asks_nobody() {
        let of = |kind: &str| format!("contract: {{ service: s, consent: {kind} }}, ");
        let by_contract = |kind: &str| Some(format!("{kind} by the contract of chem"));
        let by_class = |kind: &str| Some(format!("{kind} by consent.yaml for planned"));
        let cases = [
            (String::new(), "explicit", by_class("explicit")),
            (of("none"), "explicit", by_class("explicit")),
            (of("tacit-9bd"), "explicit", by_class("explicit")),
            (of("explicit"), "tacit-4bd", by_contract("explicit")),
            (of("tacit-3bd"), "tacit-4bd", by_class("tacit-4bd")),
            (of("tacit-5bd"), "tacit-4bd", by_contract("tacit-5bd")),
            (of("explicit"), "explicit", by_contract("explicit")),
            (of("none"), "tacit-4bd", by_class("tacit-4bd")),
            (of("explicit"), "notify-only", None),
            (of("none"), "notify-only", None),
        ];
        for (contract, class, expected) in cases {
            let consent = format!("planned: {class}");
            let found = binds(&contract, Some(&consent), "planned");
            assert_eq!(found, expected, "{contract} {class}");
        }
    }

    #[test]
    fn what_a_customer_asked_for_itself_is_agreed_by_asking_and_nothing_else_is() {
        let explicit = "contract: { service: s, consent: explicit }, ";
        let estate = estate(explicit, Some("request: explicit"));
        let asked = |who: &str, via: &str, class: &str| {
            let starter = Starter {
                who: who.to_owned(),
                via: via.to_owned(),
                reason: None,
            };
            Required::of(&estate, &starter, "chem", &[class.to_owned()]).is_some()
        };
        assert!(!asked("ada", "api", "request"));
        assert!(asked("ada", "api", "planned"), "of another class");
        assert!(asked("olga", "api", "request"), "somebody else");
        assert!(
            asked("ada", "schedule", "request"),
            "a schedule of that name"
        );
    }

    #[test]
    fn a_class_of_which_no_file_speaks_asks_nothing_itself() {
        let explicit = "contract: { service: s, consent: explicit }, ";
        let by_contract = Some("explicit by the contract of chem".to_owned());
        for consent in [None, Some("request: explicit")] {
            assert_eq!(binds("", consent, "planned"), None);
            assert_eq!(
                binds("contract: { service: s }, ", consent, "planned"),
                None
            );
            assert_eq!(binds(explicit, consent, "planned"), by_contract);
            assert_eq!(binds(explicit, consent, "emergency"), None);
        }
        assert_eq!(estate(explicit, None).consent("bio", "planned"), None);
    }
}
