//! A stage on which all gates are closed when a run begins, and open one after the other: the freeze ends, then the
//! notice is old enough, then the customer agrees, then its budget has room; each at an opening of the windows.
//!
//! Not here: which runbooks they must hold, and what began too early.

use crate::scenarios::stage;
use hostler_core::budget::{Disruption, Spent, budget_document};
use hostler_core::id::{LaneId, RunId};
use hostler_ports::store::DocumentWrite;
use hostler_rehearsal::{Says, Stage};
use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde_json::json;

/// The windows of the practice estate are open all the time; these open on Sundays, but on the first one
/// nothing may be disturbed.
const OPEN: &str = r#"{ when: daily, at: "00:00", lasts: 25h }"#;
const SUNDAYS: &str = r#"{ when: sunday, at: "02:00", lasts: 4h }"#;
const FREEZE: &str = "freezes:
  - { id: new-year, from: 2025-12-31, to: 2026-01-06, applies: \"service=co-managed\" }
windows:
";

/// Longer than the freeze, and its end is no Sunday. An emergency's is short; windows and freezes let it pass.
const CLASSES: &str = "classes:
  request: { lead: 20d }
  standard-patch: { lead: 20d }
  planned: { lead: 20d }
  expedited: { lead: 20d, unproven: hold }
  emergency: { lead: 3h, unproven: hold }
";
pub const EMERGENCY: &str = "emergency";
const LEAD_MS: i64 = 20 * 86_400_000;
const EMERGENCY_LEAD_MS: i64 = 3 * 3_600_000;

/// When rehearsals begin: then somebody else has spent all of every customer's budget. It is forgotten between the
/// second Sunday behind the lead and the third.
const BEGIN_MS: i64 = 1_767_225_600_000;
const GRANTED: u16 = 20;
const BUDGETS: &str = "budgets:\n  usual: { disruptions: 20, within: 35d }\n";
const WITHIN_MS: i64 = 35 * 86_400_000;

/// Customers are told of an emergency and not asked, whatever their contracts say; without this file so they would be
/// of what is expedited.
const CONSENT: &str = "consent: { emergency: notify-only, expedited: explicit }\n";
pub const TOLD: &str = EMERGENCY;
const EXPEDITED: &str = "expedited";
/// So many days of silence end between the first Sunday behind the lead and the next one.
const SILENCE: u16 = 18;
/// What each customer's contract asks for.
pub const CONTRACTS: [(&str, Kind); 6] = [
    ("chemistry", Kind::Explicit),
    ("physics", Kind::Explicit),
    ("library", Kind::Tacit),
    ("registrar", Kind::Tacit),
    ("athletics", Kind::Tacit),
    ("medicine", Kind::Tacit),
];
/// Objects before its silence would agree, and agrees later.
const OBJECTS: &str = "athletics";
const OBJECTS_AFTER: &str = "12h";
/// Behind the end of silence, and before the next Sunday.
const AGREES_AFTER: &str = "5d";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Explicit,
    Tacit,
}

impl Kind {
    pub fn says(self) -> String {
        match self {
            Self::Explicit => "explicit".to_owned(),
            Self::Tacit => format!("tacit-{SILENCE}bd"),
        }
    }
}

pub fn stage() -> Stage {
    let files = [
        ("budgets.yaml", BUDGETS),
        ("classes.yaml", CLASSES),
        ("consent.yaml", CONSENT),
        ("fit.yaml", stage::QUICK),
    ];
    let rules = |text: String| text.replace(OPEN, SUNDAYS).replace("windows:\n", FREEZE);
    stage::ruled(&files, |text| asking(rules(text)))
}

/// The estate's file with these contracts.
fn asking(text: String) -> String {
    CONTRACTS.iter().fold(text, |text, (customer, kind)| {
        let head = format!("\n  {customer}:\n");
        let Some((before, own)) = text.split_once(&head) else {
            return text;
        };
        let own = own.replacen("consent: none", &format!("consent: {}", kind.says()), 1);
        format!("{before}{head}{own}")
    })
}

/// What is asked of a customer before work of this class, with the rule that says so; none: nothing.
pub fn asked(customer: &str, class: &str) -> Option<(Kind, String)> {
    let kind = kind_of(customer);
    match class {
        TOLD => None,
        EXPEDITED if kind == Kind::Tacit => Some((
            Kind::Explicit,
            format!("explicit by consent.yaml for {class}"),
        )),
        _ => Some((
            kind,
            format!("{} by the contract of {customer}", kind.says()),
        )),
    }
}

fn kind_of(customer: &str) -> Kind {
    let mut all = CONTRACTS.iter();
    let found = all.find(|(name, _)| *name == customer);
    found
        .unwrap_or_else(|| panic!("{customer} has no contract"))
        .1
}

/// What the customers' people say of each run; who may agree by silence says nothing, where they are told of all.
pub fn words(stage: &Stage, all_is_announced: bool) -> Vec<Says> {
    let of = |(customer, kind): &(&str, Kind)| {
        let says = |agrees: bool, after: &str| Says {
            customer: (*customer).to_owned(),
            by: stage.directory.contacts(customer, "notices")[0]
                .person
                .clone(),
            after: Some(after.to_owned()),
            agrees,
            reason: (!agrees).then(|| "the term ends".to_owned()),
        };
        let (no, yes) = (says(false, OBJECTS_AFTER), says(true, AGREES_AFTER));
        match kind {
            Kind::Tacit if *customer == OBJECTS => vec![no, yes],
            Kind::Tacit if all_is_announced => Vec::new(),
            _ => vec![yes],
        }
    };
    CONTRACTS.iter().flat_map(of).collect()
}

/// What somebody else has spent of the budget of each customer.
pub fn spent(stage: &Stage) -> Vec<DocumentWrite> {
    let one = |number: u16| Disruption {
        asset: format!("another-{number}"),
        run: RunId(Default::default()),
        lane: LaneId(Default::default()),
        at_ms: BEGIN_MS,
        until_ms: BEGIN_MS,
        downtime_ms: 1,
        opening: None,
        begun: true,
        overdrew: Vec::new(),
    };
    let spent = Spent {
        disruptions: (0..GRANTED).map(one).collect(),
        allowed: Vec::new(),
    };
    let put = |customer: String| DocumentWrite {
        key: budget_document(&customer),
        body: Some(json!(spent).to_string()),
    };
    stage.directory.customers().into_iter().map(put).collect()
}

/// When work of this class may begin of which the customer was told at that instant.
pub fn promised_ms(class: &str, told_ms: i64) -> i64 {
    let lead_ms = match class {
        EMERGENCY => EMERGENCY_LEAD_MS,
        _ => LEAD_MS,
    };
    told_ms + lead_ms
}

/// Whether others have left no room in any budget.
pub fn is_spent(class: &str, at_ms: i64) -> bool {
    class != EMERGENCY && at_ms < BEGIN_MS + WITHIN_MS
}

/// When silence agrees, counted day by day where the customer lives: no holiday of its calendar lies near.
pub fn silent_ms(stage: &Stage, customer: &str, told_ms: i64) -> i64 {
    let record = stage.directory.customer(customer).unwrap();
    let zone = TimeZone::get(record["zone"].as_str().unwrap()).unwrap();
    let told = Timestamp::from_millisecond(told_ms).unwrap();
    let mut then = told.to_zoned(zone);
    let mut left = SILENCE;
    while left > 0 {
        then = then.checked_add(1.day()).unwrap();
        let is_business = ![Weekday::Saturday, Weekday::Sunday].contains(&then.weekday());
        left -= u16::from(is_business);
    }
    then.timestamp().as_millisecond()
}

#[test]
fn every_customer_is_asked_as_its_contract_and_the_files_say_and_of_an_emergency_told() {
    let stage = stage();
    let names: Vec<String> = CONTRACTS
        .iter()
        .map(|(name, _)| (*name).to_owned())
        .collect();
    let mut known = stage.directory.customers();
    known.retain(|customer| !names.contains(customer));
    assert_eq!(known, Vec::<String>::new());
    for (customer, _) in CONTRACTS {
        for class in hostler_core::definition::CLASSES {
            let required = stage.directory.consent(customer, class);
            let says = required.map(|required| required.rule());
            let expected = asked(customer, class).map(|(_, rule)| rule);
            assert_eq!(says, expected, "{customer} {class}");
        }
    }
}
