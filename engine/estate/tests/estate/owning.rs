//! Who answers for servers when a run is started.

use crate::read;
use hostler_core::plan::Starter;
use hostler_estate::{Estate, Known};
use proptest::prelude::*;
use std::fmt::Write as _;

const ROLES: [&str; 5] = ["owner", "delegate", "notices", "technical", "budget"];
/// Roles that answer for the customer's assets.
const OWNING: [&str; 2] = ["owner", "delegate"];
const PEOPLE: usize = 4;
const CUSTOMERS: usize = 3;
const ASSETS: usize = 6;

fn starter(who: &str, via: &str) -> Starter {
    Starter {
        who: who.to_owned(),
        via: via.to_owned(),
        reason: None,
    }
}

/// What the files say.
#[derive(Clone, Debug)]
struct Said {
    /// Roles of each person at each customer; none: the customer does not name them.
    roles: Vec<Vec<Vec<&'static str>>>,
    /// Customer of an asset, and the person whom the asset itself names.
    assets: Vec<(usize, Option<usize>)>,
}

impl Said {
    fn estate(&self) -> Estate {
        let mut text = String::from("realm: main\nzone: UTC\npeople:\n");
        for person in 0..PEOPLE {
            let _ = writeln!(
                text,
                "  p{person}: {{ name: P, mail: p{person}@a.example, roles: [operator] }}"
            );
        }
        text.push_str("customers:\n");
        for (customer, people) in self.roles.iter().enumerate() {
            let _ = writeln!(text, "  c{customer}:\n    name: C\n    people:");
            let _ = writeln!(
                text,
                "      - {{ id: boss{customer}, mail: boss{customer}@c.example, roles: [owner, notices] }}"
            );
            for (person, roles) in people
                .iter()
                .enumerate()
                .filter(|(_, roles)| !roles.is_empty())
            {
                let roles = roles.join(", ");
                let _ = writeln!(
                    text,
                    "      - {{ id: p{person}, mail: p{person}@a.example, roles: [{roles}] }}"
                );
            }
        }
        text.push_str("assets:\n");
        for (asset, (customer, owner)) in self.assets.iter().enumerate() {
            let owner = owner.map_or_else(String::new, |person| format!(", owner: p{person}"));
            let _ = writeln!(
                text,
                "  a{asset}: {{ customer: c{customer}, kind: virtual, os: debian-13, address: 192.0.2.{asset}{owner} }}"
            );
        }
        read(&[("estate.yaml", &text)], &Known::default())
            .unwrap_or_else(|faults| panic!("{faults}\n{text}"))
    }

    /// Whom the asset names answers for it, else whoever owns at its customer, and nobody besides.
    fn answers(&self, person: usize, asset: usize) -> bool {
        match self.assets[asset] {
            (_, Some(named)) => named == person,
            (customer, None) => {
                let held = &self.roles[customer][person];
                held.iter().any(|role| OWNING.contains(role))
            }
        }
    }
}

fn said() -> impl Strategy<Value = Said> {
    let roles = prop::sample::subsequence(ROLES.to_vec(), 0..=ROLES.len());
    let people = prop::collection::vec(roles, PEOPLE);
    let customers = prop::collection::vec(people, CUSTOMERS);
    let asset = (0..CUSTOMERS, prop::option::weighted(0.3, 0..PEOPLE));
    let assets = prop::collection::vec(asset, ASSETS);
    (customers, assets).prop_map(|(roles, assets)| Said { roles, assets })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn nobody_becomes_an_owner_of_another_customers_asset(said in said()) {
        let estate = said.estate();
        for person in 0..PEOPLE {
            let who = format!("p{person}");
            for mask in 0..1_usize << ASSETS {
                let meant: Vec<usize> = (0..ASSETS).filter(|asset| (mask >> asset) & 1 == 1).collect();
                let targets: Vec<String> = meant.iter().map(|asset| format!("a{asset}")).collect();
                let answers = meant.iter().all(|asset| said.answers(person, *asset));
                let owns = starter(&who, "api").owns(&estate, &targets);
                prop_assert_eq!(owns, answers && !meant.is_empty(), "{} {:?}", who, targets);
                prop_assert!(!starter(&who, Starter::SCHEDULE).owns(&estate, &targets));
            }
        }
    }
}

#[test]
fn an_owner_of_some_targets_owns_not_all_and_nobody_owns_what_is_not_there() {
    let said = Said {
        roles: vec![
            vec![
                vec!["owner"],
                vec!["delegate"],
                vec!["technical", "notices"],
                vec![],
            ],
            vec![vec![]; PEOPLE],
        ],
        assets: vec![(0, None), (1, None), (1, Some(0))],
    };
    let estate = said.estate();
    let owns = |who: &str, targets: &[&str]| {
        let targets: Vec<String> = targets.iter().map(|id| (*id).to_owned()).collect();
        starter(who, "cli").owns(&estate, &targets)
    };
    assert!(
        owns("p0", &["a0"]) && owns("p1", &["a0"]),
        "owner and delegate"
    );
    assert!(!owns("p2", &["a0"]), "who may decide does not own");
    assert!(!owns("p0", &["a0", "a1"]) && owns("p0", &["a0", "a2"]));
    assert!(!owns("boss1", &["a2"]), "the asset names somebody else");
    for who in ["p0", "boss0", "stranger", "schedule:p0", ""] {
        assert!(!owns(who, &[]) && !owns(who, &["a9"]), "{who}");
    }
}
