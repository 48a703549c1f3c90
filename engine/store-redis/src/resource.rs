//! Who holds a resource and who waits for it.
//!
//! Not here: granting (`functions/3_locks.lua`).

use crate::decode::{array, id, parsed};
use crate::realm::RedisStore;
use hostler_core::id::LaneId;
use hostler_ports::store::{READ_MAX, ResourceView, StoreResult, bounds};
use redis::{Value, cmd};

impl RedisStore {
    pub(crate) async fn view_resource(&self, key: &str) -> StoreResult<ResourceView> {
        bounds::name("resource", key)?;
        let mut holders = cmd("HGETALL");
        holders.arg(self.link.key(&format!("u:{key}")));
        let mut waiters = cmd("ZRANGE");
        waiters
            .arg(self.link.key(&format!("q:{key}")))
            .arg(0)
            .arg(READ_MAX - 1);
        let (holders, waiters) =
            futures::future::try_join(self.ask(holders), self.ask(waiters)).await?;
        let mut view = ResourceView::default();
        let mut fields = array(holders, "holders")?.into_iter();
        while let (Some(name), Some(value)) = (fields.next(), fields.next()) {
            match name {
                Value::BulkString(name) if name == b"capacity" => {
                    view.capacity = parsed(value, "a capacity")?;
                }
                lane => {
                    let lane = LaneId(id(self.link.form, lane, "a holder")?);
                    view.holders.push((lane, parsed(value, "a holder")?));
                }
            }
        }
        view.holders
            .sort_by_key(|(lane, since_ms)| (*since_ms, *lane));
        let waiters = array(waiters, "waiters")?.into_iter();
        view.waiters = waiters
            .map(|lane| id(self.link.form, lane, "a waiter").map(LaneId))
            .collect::<StoreResult<_>>()?;
        Ok(view)
    }
}
