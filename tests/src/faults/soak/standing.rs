//! What there is to know of runs that stand still: as the API shows them, as the store holds their lanes, what a
//! decision is answered, and what the workers said.
//!
//! Not here: what they should have done.

use hostler_tests::lab::Answer;
use serde_json::{Value, json};

use crate::faults::bed::{Bed, in_redis};

/// A lane's header, what it has not read, its log, and the ids of what it was sent.
const LANE: &str = "local p = 'h:{main}.' local id = ARGV[1] return cjson.encode({ \
                    header = redis.call('HGETALL', p .. 'l:' .. id), \
                    letters = redis.call('LRANGE', p .. 'i:' .. id, 0, -1), \
                    log = redis.call('LRANGE', p .. 'g:' .. id, 0, -1), \
                    sent = redis.call('SMEMBERS', p .. 'k:' .. id), \
                    listed = redis.call('HGET', p .. 'xb:waiting', id), \
                    timers = redis.call('HGETALL', p .. 't:' .. id), \
                    lease_ends = tostring(redis.call('ZSCORE', p .. 'leased', id)), \
                    ready = tostring(redis.call('ZSCORE', p .. 'ready:r', id)), \
                    now = redis.call('TIME') })";

pub fn all(bed: &Bed, runs: &[String]) -> Vec<Value> {
    runs.iter().map(|run| of_run(bed, run)).collect()
}

fn of_run(bed: &Bed, run: &str) -> Value {
    let view = bed.api.run(run);
    let root = &view["root"]["lane"];
    let children = view["lanes"].as_array().into_iter().flatten();
    let lanes = children.map(|lane| &lane["lane"]).chain([root]);
    let lanes: Vec<Value> = lanes
        .filter_map(|lane| Some(of_lane(bed, lane.as_str()?)))
        .collect();
    let told = |answer: Option<Answer>| answer.map(|answer| json!([answer.status, answer.body]));
    let answers = bed.api.sign_anew(run).into_iter();
    let decided: Vec<Option<Value>> = answers.map(told).collect();
    json!({ "run": view, "lanes": lanes, "decided anew": decided, "then": bed.api.run(run)["run"] })
}

fn of_lane(bed: &Bed, lane: &str) -> Value {
    let held = bed.redis_says(&format!("EVAL \"{LANE}\" 0 \"{}\"", in_redis(lane)));
    let held = serde_json::from_str(&held).unwrap_or(Value::String(held));
    json!({ "lane": lane, "store": held, "workers": bed.log_about(lane) })
}
