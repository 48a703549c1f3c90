//! The practice platform: 40 servers in memory, spoken to by the practice plugin over HTTP.
//!
//! Its routes are those of the plugin's README. Not here: any knowledge of the engine.

mod actions;
mod world;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use world::World;

pub use world::Server;

/// A running platform; it ends when dropped.
pub struct Platform {
    address: SocketAddr,
    task: JoinHandle<()>,
}

type Shared = Arc<Mutex<World>>;

impl Platform {
    /// Answers at a listener.
    ///
    /// # Errors
    /// When the listener has no address.
    pub fn start(listener: TcpListener, servers: Vec<Server>) -> std::io::Result<Self> {
        let address = listener.local_addr()?;
        let world: Shared = Arc::new(Mutex::new(World::new(servers)));
        let router = Router::new()
            .route("/assets/{id}/{contract}/{action}", post(perform))
            .route("/assets/{id}/attempts/{key}", get(attempt))
            .route("/operations/{operation}", get(operation).delete(stop))
            .with_state(world);
        let task = tokio::spawn(async move {
            if let Err(fault) = axum::serve(listener, router).await {
                tracing::error!(%fault, "the practice platform ended");
            }
        });
        Ok(Self { address, task })
    }

    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Platform {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn open(world: &Shared) -> MutexGuard<'_, World> {
    world.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the platform says: a status and a body.
#[derive(Clone, Debug, PartialEq)]
pub struct Said {
    pub status: u16,
    pub body: Value,
}

impl Said {
    fn done(output: Value) -> Self {
        Self {
            status: 200,
            body: json!({ "output": output }),
        }
    }

    fn rejected(reason: &str, output: Value) -> Self {
        Self {
            status: 422,
            body: json!({ "reason": reason, "output": output }),
        }
    }

    fn none(reason: &str) -> Self {
        Self {
            status: 404,
            body: json!({ "reason": reason }),
        }
    }
}

impl IntoResponse for Said {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, Json(self.body)).into_response()
    }
}

async fn perform(
    State(world): State<Shared>,
    Path((id, contract, action)): Path<(String, String, String)>,
    headers: HeaderMap,
    body: Json<Value>,
) -> Said {
    let Some(key) = headers
        .get("idempotency-key")
        .and_then(|key| key.to_str().ok())
    else {
        return Said::rejected("the header idempotency-key is missing", Value::Null);
    };
    open(&world).perform(&id, &format!("{contract}.{action}"), key, &body.0)
}

async fn attempt(State(world): State<Shared>, Path((id, key)): Path<(String, String)>) -> Said {
    open(&world).attempt(&id, &key)
}

async fn operation(State(world): State<Shared>, Path(operation): Path<String>) -> Said {
    open(&world).operation(&operation)
}

async fn stop(State(world): State<Shared>, Path(operation): Path<String>) -> Said {
    open(&world).stop(&operation)
}
