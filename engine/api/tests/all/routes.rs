//! The table of routes against strangers, and the door itself.

use crate::bouncing::bounces;
use crate::support::{World, world};
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use axum::response::Response;
use hostler_api::authorize::Action;
use hostler_api::http::{Door, ROUTES, router};
use hostler_api::tokens::Tokens;
use hostler_ports::store::memory::CountedIds;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, RwLock};
use tower::ServiceExt;

struct Open {
    world: World,
    router: axum::Router,
    tokens: BTreeMap<String, String>,
}

fn open() -> Open {
    let world = world();
    let mut tokens = Tokens::default();
    let ids = CountedIds::default();
    let mut texts = BTreeMap::new();
    for person in world.api.directory.people() {
        texts.insert(
            person.id.clone(),
            tokens.issue(&ids, &person.id, None, None),
        );
    }
    let clock = Arc::clone(&world.clock) as _;
    let door = Door {
        api: world.api.clone(),
        tokens: Arc::new(RwLock::new(tokens)),
        clock,
        bounces: Some(bounces(Arc::default())),
    };
    Open {
        router: router(door),
        world,
        tokens: texts,
    }
}

impl Open {
    async fn ask(&self, method: &str, path: &str, token: Option<&str>, body: Value) -> Response {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let body = if body.is_null() {
            Body::empty()
        } else {
            Body::from(body.to_string())
        };
        self.router
            .clone()
            .oneshot(request.body(body).unwrap())
            .await
            .unwrap()
    }

    async fn as_person(
        &self,
        person: &str,
        method: &str,
        path: &str,
        body: Value,
    ) -> (StatusCode, Value) {
        let response = self
            .ask(method, path, Some(&self.tokens[person]), body)
            .await;
        let status = response.status();
        (status, json_of(response).await)
    }
}

async fn json_of(response: Response) -> Value {
    let bytes = axum::body::to_bytes(response.into_body(), 10_000_000)
        .await
        .unwrap();
    serde_json::from_slice(&bytes).unwrap_or_default()
}

/// A path with its parts filled in by things that exist.
async fn filled(open: &Open, path: &str) -> String {
    let run = open.world.started().await;
    let fill = [
        ("{run}", run.to_string()),
        ("{lane}", run.root().to_string()),
        ("{name}", "touch".into()),
        ("{template}", "t".into()),
        ("{key}", "asset:web1".into()),
    ];
    fill.iter().fold(path.to_owned(), |path, (part, value)| {
        path.replace(part, value)
    })
}

/// Bodies that are well formed, so that nothing but the policy can refuse.
fn body(path: &str) -> Value {
    let signs = "0".repeat(64);
    match path.rsplit('/').next().unwrap() {
        "plans" | "runs" => json!({ "runbook": "touch" }),
        "freezes" => json!({ "id": "f", "to_ms": 1, "applies": "id=web1", "reason": "test" }),
        "lift" => json!({ "reason": "test" }),
        "allow" => json!({ "run": "00000000-0000-0000-0000-000000000001", "reason": "test" }),
        "mute" | "unmute" | "release" => json!({ "reason": "test" }),
        "extend" => json!({ "for": "1h", "reason": "test" }),
        "word" => json!({ "word": "pause", "reason": "test" }),
        "decision" => json!({ "yes": true, "signs": signs }),
        "answer" => json!({ "signs": signs, "answer": {} }),
        "defer" => json!({ "until": "2026-12-01" }),
        "consent" => json!({ "agrees": true }),
        "choice" => json!({ "signs": signs, "choice": "retry" }),
        _ => json!({}),
    }
}

#[tokio::test]
async fn no_route_but_health_answers_a_stranger() {
    let open = open();
    let public: Vec<&str> = ROUTES
        .iter()
        .filter(|route| route.action.is_none() && !route.keyed)
        .map(|route| route.path)
        .collect();
    assert_eq!(public, ["/healthz", "/readyz"]);
    for route in ROUTES {
        let path = filled(&open, route.path).await;
        for token in [None, Some("hostler_wrong"), Some("")] {
            let response = open.ask(route.method, &path, token, body(route.path)).await;
            let expected = match (route.action, route.keyed) {
                (Some(_), _) => StatusCode::UNAUTHORIZED,
                (None, false) => StatusCode::OK,
                // Its key is in the address: whatever else comes with it opens nothing.
                (None, true) if route.path.ends_with("/bounces") => StatusCode::UNAUTHORIZED,
                (None, true) if route.path.ends_with(".ics") => StatusCode::UNAUTHORIZED,
                (None, true) if route.method == "GET" => StatusCode::NOT_FOUND,
                (None, true) => StatusCode::BAD_REQUEST,
            };
            assert_eq!(
                response.status(),
                expected,
                "{} {path} {token:?}",
                route.method
            );
        }
    }
}

#[tokio::test]
async fn every_route_has_a_policy_that_refuses_a_person_without_roles() {
    let open = open();
    for route in ROUTES.iter().filter(|route| route.action.is_some()) {
        let path = filled(&open, route.path).await;
        let (status, problem) = open
            .as_person("nobody", route.method, &path, body(route.path))
            .await;
        let expected = if route.action == Some(Action::WhoAmI) {
            StatusCode::OK
        } else {
            StatusCode::FORBIDDEN
        };
        assert_eq!(status, expected, "{} {path}: {problem}", route.method);
    }
}

#[tokio::test]
async fn problems_have_the_standard_shape() {
    let open = open();
    let token = Some(open.tokens["olga"].as_str());
    let response = open
        .ask("GET", "/api/v1/runs?filter=stat:x", token, Value::Null)
        .await;
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    assert_eq!(
        response.headers()[header::CONTENT_TYPE],
        "application/problem+json"
    );
    let problem = json_of(response).await;
    assert_eq!(
        (&problem["code"], &problem["status"]),
        (&json!("malformed"), &json!(400))
    );
    assert_eq!(problem["type"], "urn:hostler:problem:malformed");
    assert_eq!(problem["remedy"], "did you mean state?");
}

#[tokio::test]
async fn requests_that_cannot_be_read_are_refused() {
    let open = open();
    let large = json!({ "runbook": "x".repeat(2_000_000) });
    let cases = [
        (
            "POST",
            "/api/v1/runs",
            json!({ "runbok": "touch" }),
            StatusCode::BAD_REQUEST,
        ),
        (
            "POST",
            "/api/v1/runs",
            json!("text"),
            StatusCode::BAD_REQUEST,
        ),
        ("POST", "/api/v1/runs", large, StatusCode::PAYLOAD_TOO_LARGE),
        (
            "GET",
            "/api/v1/runs?limit=many",
            Value::Null,
            StatusCode::BAD_REQUEST,
        ),
        (
            "GET",
            "/api/v1/runs/xyz",
            Value::Null,
            StatusCode::BAD_REQUEST,
        ),
        (
            "GET",
            "/api/v1/waiting/xyz",
            Value::Null,
            StatusCode::BAD_REQUEST,
        ),
        ("GET", "/api/v1/nothing", Value::Null, StatusCode::NOT_FOUND),
        (
            "DELETE",
            "/api/v1/runs",
            Value::Null,
            StatusCode::METHOD_NOT_ALLOWED,
        ),
    ];
    for (method, path, body, expected) in cases {
        let (status, problem) = open.as_person("olga", method, path, body).await;
        assert_eq!(status, expected, "{method} {path}: {problem}");
    }
}

#[tokio::test]
async fn a_run_is_started_once_over_http() {
    let open = open();
    let token = &open.tokens["olga"];
    let mut runs = Vec::new();
    for expected in [StatusCode::CREATED, StatusCode::OK] {
        let request = Request::post("/api/v1/runs")
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .header("idempotency-key", "k")
            .body(Body::from(r#"{"runbook":"touch"}"#));
        let response = open.router.clone().oneshot(request.unwrap()).await.unwrap();
        assert_eq!(response.status(), expected);
        runs.push(json_of(response).await["run"].clone());
    }
    assert_eq!(runs[0], runs[1]);
    let (_, list) = open
        .as_person("olga", "GET", "/api/v1/runs", Value::Null)
        .await;
    assert_eq!(list["runs"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_token_that_was_good_stays_good_only_while_the_person_is_known() {
    let open = open();
    let (status, me) = open
        .as_person("vera", "GET", "/api/v1/me", Value::Null)
        .await;
    assert_eq!((status, &me["person"]), (StatusCode::OK, &json!("vera")));
    let mut tokens = Tokens::default();
    let stranger = tokens.issue(&CountedIds::default(), "left-long-ago", None, None);
    let clock = Arc::clone(&open.world.clock) as _;
    let door = Door {
        api: open.world.api.clone(),
        tokens: Arc::new(RwLock::new(tokens)),
        clock,
        bounces: None,
    };
    let request =
        Request::get("/api/v1/me").header(header::AUTHORIZATION, format!("Bearer {stranger}"));
    let response = router(door)
        .oneshot(request.body(Body::empty()).unwrap())
        .await
        .unwrap();
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
}
