//! Why a driver lets go of a lane. None of these loses anything: the lane is claimed again.

use hostler_core::event::Unreadable;
use hostler_core::id::Digest;
use hostler_ports::store::StoreError;
use thiserror::Error;

#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Trouble {
    /// Somebody else holds the lane now.
    #[error("the lane's lease was lost")]
    LeaseLost,
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The log cannot be read: the lane goes to the shelf until a person looks.
    #[error("the lane's log cannot be read: {0}")]
    Unreadable(String),
    #[error("blob {0} is missing")]
    MissingBlob(Digest),
    #[error("the commit could not be confirmed in time")]
    Unconfirmed,
}

impl From<Unreadable> for Trouble {
    fn from(fault: Unreadable) -> Self {
        Self::Unreadable(fault.to_string())
    }
}
