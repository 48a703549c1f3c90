//! A customer's own number of deferrals, by its contract, beside one who has the class's.
//!
//! Not here: which number binds whom (estate), and how several classes count (core).

use crate::deferring::{announced_in, day_behind, defer};
use crate::support::House;
use axum::http::StatusCode;
use hostler_api::Subject;
use hostler_api::services::start::{StartAsk, preview};
use serde_json::json;

const TWO: &str = "deferrals:\n  standard-patch: { times: 2, until: 24h, longest: 14d }\n";

fn one_of_redmark(estate: String) -> String {
    let plain = "name: Institute Redmark\n";
    assert!(estate.contains(plain), "{estate}");
    let own = format!("{plain}    contract: {{ service: all, deferrals: 1 per quarter }}\n");
    estate.replace(plain, &own)
}

/// Whether it was put off until so many days behind the first slot, and what was said.
async fn put_off(house: &mut House, person: &str, asset: &str, days: i64) -> (StatusCode, String) {
    let wish = json!({ "assets": [asset], "until": day_behind(house, days).await });
    let (status, said) = defer(house, person, &wish).await;
    house.world.settle().await.unwrap();
    (status, said.to_string())
}

/// What a plan says that is left to each customer, of how many.
async fn left(house: &House) -> Vec<(String, u32, u32)> {
    let olga = Subject::of(&*house.api.directory, "olga", "api").unwrap();
    let ask = StartAsk {
        runbook: "defer".to_owned(),
        inputs: json!({}),
        ..StartAsk::default()
    };
    let plan = preview(&house.api, &olga, ask).await.unwrap();
    let terms = plan.defers.into_iter().map(|view| {
        let terms = view.terms.unwrap();
        (view.customer, terms.left, terms.times)
    });
    terms.collect()
}

#[tokio::test]
async fn a_contract_of_one_is_used_up_by_one_while_another_customer_has_the_classes_two() {
    let mut house = announced_in(TWO, one_of_redmark).await;
    let row = |customer: &str, left, times| (customer.to_owned(), left, times);
    let before = [row("bluemark", 2, 2), row("redmark", 1, 1)];
    assert_eq!(left(&house).await, before);
    let (rita, bob) = ("rita-redmark", "bob-bluemark");
    let (status, said) = put_off(&mut house, rita, "redmark-web1", 7).await;
    assert_eq!(status, StatusCode::OK, "{said}");
    let (status, said) = put_off(&mut house, rita, "redmark-web2", 7).await;
    assert_eq!(status, StatusCode::CONFLICT, "{said}");
    assert!(
        said.contains("1 of 1 deferrals of your contract are used up"),
        "{said}"
    );
    for days in [5, 7] {
        let (status, said) = put_off(&mut house, bob, "bluemark-db1", days).await;
        assert_eq!(status, StatusCode::OK, "{days}: {said}");
    }
    let (status, said) = put_off(&mut house, bob, "bluemark-db1", 9).await;
    assert_eq!(status, StatusCode::CONFLICT, "{said}");
    assert!(said.contains("2 of 2 deferrals of the class"), "{said}");
    let after = [row("bluemark", 0, 2), row("redmark", 0, 1)];
    assert_eq!(left(&house).await, after);
}
