//! What the realm says of itself, and how a person's decision begins a new generation. Both are also
//! for a server that has gone back.
//!
//! Not here: how that is found (`past`).

use crate::decode::{Parts, corrupt, generation};
use crate::pack::Effort;
use crate::realm::RedisStore;
use hostler_ports::store::generation::{Begun, NewGeneration, StoreState};
use hostler_ports::store::{StoreResult, bounds};

impl RedisStore {
    pub(crate) async fn tell_state(&self) -> StoreResult<StoreState> {
        self.link.look().await;
        let call = self.read_function("h1_state");
        let value = self.link.call_anyway(|_| call.clone()).await?.0;
        let mut parts = Parts::of(value, "a state")?;
        let (generation, declared) = generation(parts.value()?)?;
        let past = &self.link.past;
        let (seq, ledger, now_ms) = (parts.parsed()?, parts.parsed()?, parts.parsed()?);
        if past.heard(generation.number, seq) {
            tracing::warn!(generation.number, "a person has decided what counts");
        }
        if let Some(declared) = declared {
            past.told(generation.number, declared);
        }
        Ok(StoreState {
            kind: "redis".to_owned(),
            seq,
            ledger,
            generation,
            regressed: past.regression(),
            now_ms,
        })
    }

    pub(crate) async fn write_generation(&self, new: &NewGeneration) -> StoreResult<Begun> {
        bounds::generation(new)?;
        let mut call = self.function("h1_generation");
        let seen = self.link.past.seen();
        self.args(&mut call, Some(Effort::Small))
            .generation(new, seen, &self.mark());
        let value = self.link.call_anyway(|_| call.clone()).await?.0;
        let mut parts = Parts::of(value, "a generation")?;
        let letter = parts.text()?;
        let (present, _) = generation(parts.value()?)?;
        self.link.past.heard(present.number, parts.parsed()?);
        match letter.as_str() {
            "K" => Ok(Begun::New(present)),
            "O" => Ok(Begun::Other(present)),
            _ => Err(corrupt("a generation")),
        }
    }
}
