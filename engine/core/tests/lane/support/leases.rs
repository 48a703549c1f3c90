//! Steps that open a lease, and the lane that ends it.
//!
//! Not here: what becomes of either.

use super::build::*;
use super::drive::{Drive, World};
use hostler_core::definition::*;
use hostler_core::lane::{Lane, Origin};

/// Opens a lease of 10 ms that ends with the action `delete`.
pub fn leasing(id: &str) -> Step {
    let Verb::Do(action) = read("delete").verb else {
        panic!("an action");
    };
    let lease = StepLease {
        for_ms: 10,
        end: LeaseEnd { action },
        blocks: Vec::new(),
        warn_ms: None,
    };
    Step {
        lease: Some(lease),
        ..read(id)
    }
}

impl Drive {
    /// The lane of the lease that this step opens.
    pub fn of_lease(opener: Step) -> Self {
        let origin = Origin::Lease {
            program: 0,
            step: opener.id.clone(),
        };
        let world = World::of(definition(vec![opener], Vec::new()));
        Self::from(world, Lane::open(opening(origin), BEGIN_MS))
    }
}
