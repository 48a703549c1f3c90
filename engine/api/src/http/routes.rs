//! The table of routes. A route that is not in it does not exist.

use super::asked::Asked;
use super::{
    bounces, budgets, consent_page, consents, debts, decide, deferral_page, deferrals, durations,
    feed, freezes, general, leases, mutes, runs, schedules, store, waiting,
};
use crate::authorize::Action;
use crate::problem::Problem;
use axum::response::Response;
use futures::future::BoxFuture;

type Handler = fn(Asked) -> BoxFuture<'static, Result<Response, Problem>>;

/// One way in.
pub struct Route {
    pub method: &'static str,
    pub path: &'static str,
    /// What `authorize` is asked about it; none: nobody has to be signed in.
    pub action: Option<Action>,
    /// The address itself holds the key, and the service asks `authorize` about whoever it belongs to; or the request is
    /// signed with a key that only one machine has.
    pub keyed: bool,
    pub(super) handler: Handler,
}

const fn get(path: &'static str, action: Action, handler: Handler) -> Route {
    Route {
        method: "GET",
        path,
        action: Some(action),
        keyed: false,
        handler,
    }
}

const fn post(path: &'static str, action: Action, handler: Handler) -> Route {
    Route {
        method: "POST",
        path,
        action: Some(action),
        keyed: false,
        handler,
    }
}

const fn keyed(method: &'static str, path: &'static str, handler: Handler) -> Route {
    Route {
        method,
        path,
        action: None,
        keyed: true,
        handler,
    }
}

const fn open(path: &'static str, handler: Handler) -> Route {
    Route {
        method: "GET",
        path,
        action: None,
        keyed: false,
        handler,
    }
}

pub static ROUTES: &[Route] = &[
    open("/healthz", |asked| Box::pin(general::healthy(asked))),
    open("/readyz", |asked| Box::pin(general::ready(asked))),
    keyed("GET", "/decide/{link}", |asked| {
        Box::pin(decide::show(asked))
    }),
    keyed("POST", "/decide/{link}", |asked| {
        Box::pin(decide::decide(asked))
    }),
    keyed("GET", "/notices/{link}", |asked| {
        Box::pin(mutes::show(asked))
    }),
    keyed("POST", "/notices/{link}", |asked| {
        Box::pin(mutes::choose(asked))
    }),
    get(
        "/api/v1/people/{person}/notices",
        Action::ReadMutes,
        |asked| Box::pin(mutes::list(asked)),
    ),
    post("/api/v1/people/{person}/mute", Action::Mute, |asked| {
        Box::pin(mutes::mute(asked))
    }),
    post("/api/v1/people/{person}/unmute", Action::Mute, |asked| {
        Box::pin(mutes::unmute(asked))
    }),
    keyed("GET", "/agree/{link}", |asked| {
        Box::pin(consent_page::show(asked))
    }),
    keyed("POST", "/agree/{link}", |asked| {
        Box::pin(consent_page::say(asked))
    }),
    keyed("GET", "/defer/{link}", |asked| {
        Box::pin(deferral_page::show(asked))
    }),
    keyed("POST", "/defer/{link}", |asked| {
        Box::pin(deferral_page::put_off(asked))
    }),
    keyed(
        "GET",
        "/api/v1/customers/{customer}/calendar.ics",
        |asked| Box::pin(feed::calendar(asked)),
    ),
    keyed("POST", "/api/v1/notices/bounces", |asked| {
        Box::pin(bounces::bring(asked))
    }),
    get("/api/v1/notices/bounces", Action::ReadNotices, |asked| {
        Box::pin(bounces::counts(asked))
    }),
    get("/api/v1/me", Action::WhoAmI, |asked| {
        Box::pin(general::me(asked))
    }),
    get("/api/v1/runbooks", Action::ReadRunbooks, |asked| {
        Box::pin(general::runbooks(asked))
    }),
    get("/api/v1/runbooks/{name}", Action::ReadRunbooks, |asked| {
        Box::pin(general::runbook(asked))
    }),
    get(
        "/api/v1/runbooks/{name}/notices/{template}",
        Action::ReadRunbooks,
        |asked| Box::pin(general::notice_preview(asked)),
    ),
    get("/api/v1/plugins", Action::ReadPlugins, |asked| {
        Box::pin(general::plugins(asked))
    }),
    get("/api/v1/locks", Action::ReadLocks, |asked| {
        Box::pin(general::locks(asked))
    }),
    get("/api/v1/locks/{key}", Action::ReadLocks, |asked| {
        Box::pin(general::lock(asked))
    }),
    get("/api/v1/ledger", Action::ReadLedger, |asked| {
        Box::pin(general::ledger(asked))
    }),
    get("/api/v1/store", Action::ReadStore, |asked| {
        Box::pin(store::show(asked))
    }),
    post("/api/v1/store/generation", Action::KeepStore, |asked| {
        Box::pin(store::accept_regression(asked))
    }),
    get("/api/v1/store/copy", Action::KeepStore, |asked| {
        Box::pin(store::copy(asked))
    }),
    get("/api/v1/debts", Action::ReadDebts, |asked| {
        Box::pin(debts::list(asked))
    }),
    get("/api/v1/budgets", Action::ReadBudgets, |asked| {
        Box::pin(budgets::list(asked))
    }),
    post(
        "/api/v1/budgets/{customer}/allow",
        Action::Overdraw,
        |asked| Box::pin(budgets::allow(asked)),
    ),
    get("/api/v1/durations", Action::ReadDurations, |asked| {
        Box::pin(durations::list(asked))
    }),
    get("/api/v1/leases", Action::ReadLeases, |asked| {
        Box::pin(leases::list(asked))
    }),
    post(
        "/api/v1/leases/{lane}/release",
        Action::ControlRun,
        |asked| Box::pin(leases::release(asked)),
    ),
    post(
        "/api/v1/leases/{lane}/extend",
        Action::ControlRun,
        |asked| Box::pin(leases::extend(asked)),
    ),
    get("/api/v1/freezes", Action::ReadFreezes, |asked| {
        Box::pin(freezes::list(asked))
    }),
    post("/api/v1/freezes", Action::ControlFreezes, |asked| {
        Box::pin(freezes::declare(asked))
    }),
    post(
        "/api/v1/freezes/{freeze}/lift",
        Action::ControlFreezes,
        |asked| Box::pin(freezes::lift(asked)),
    ),
    get("/api/v1/schedules", Action::ReadSchedules, |asked| {
        Box::pin(schedules::list(asked))
    }),
    post(
        "/api/v1/schedules/{schedule}/word",
        Action::ControlSchedules,
        |asked| Box::pin(schedules::say(asked)),
    ),
    post("/api/v1/plans", Action::StartRun, |asked| {
        Box::pin(runs::plan(asked))
    }),
    post("/api/v1/runs", Action::StartRun, |asked| {
        Box::pin(runs::start(asked))
    }),
    get("/api/v1/runs", Action::ReadRuns, |asked| {
        Box::pin(runs::list(asked))
    }),
    get("/api/v1/runs/{run}", Action::ReadRuns, |asked| {
        Box::pin(runs::show(asked))
    }),
    get(
        "/api/v1/runs/{run}/lanes/{lane}",
        Action::ReadRuns,
        |asked| Box::pin(runs::lane(asked)),
    ),
    get("/api/v1/runs/{run}/follow", Action::ReadRuns, |asked| {
        Box::pin(runs::follow(asked))
    }),
    get("/api/v1/runs/{run}/notices", Action::ReadNotices, |asked| {
        Box::pin(runs::notices(asked))
    }),
    get(
        "/api/v1/runs/{run}/evidence",
        Action::ReadEvidence,
        |asked| Box::pin(runs::evidence(asked)),
    ),
    post("/api/v1/runs/{run}/cancel", Action::CancelRun, |asked| {
        Box::pin(runs::cancel(asked))
    }),
    post("/api/v1/runs/{run}/pause", Action::ControlRun, |asked| {
        Box::pin(runs::pause(asked))
    }),
    post("/api/v1/runs/{run}/resume", Action::ControlRun, |asked| {
        Box::pin(runs::resume(asked))
    }),
    post("/api/v1/runs/{run}/retry", Action::ControlRun, |asked| {
        Box::pin(runs::retry(asked))
    }),
    post("/api/v1/runs/{run}/defer", Action::Defer, |asked| {
        Box::pin(deferrals::defer(asked))
    }),
    post("/api/v1/runs/{run}/consent", Action::Consent, |asked| {
        Box::pin(consents::say(asked))
    }),
    get("/api/v1/waiting", Action::ReadWaiting, |asked| {
        Box::pin(waiting::list(asked))
    }),
    get("/api/v1/waiting/{lane}", Action::ReadWaiting, |asked| {
        Box::pin(waiting::show(asked))
    }),
    post("/api/v1/waiting/{lane}/decision", Action::Decide, |asked| {
        Box::pin(waiting::vote(asked))
    }),
    post("/api/v1/waiting/{lane}/answer", Action::Decide, |asked| {
        Box::pin(waiting::answer(asked))
    }),
    post("/api/v1/waiting/{lane}/choice", Action::Decide, |asked| {
        Box::pin(waiting::choose(asked))
    }),
];
