//! Where messages go in a rehearsal.

use async_trait::async_trait;
use hostler_ports::channel::{Channel, Delivery, Message};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A channel whose next hop takes everything but what is for these addresses, or ends of them.
pub struct NextHop {
    refuses: Mutex<Vec<String>>,
    taken: Mutex<Vec<Message>>,
    /// Addresses behind which many read.
    rooms: Mutex<Vec<String>>,
}

impl NextHop {
    pub fn refusing(ends: Vec<String>) -> Self {
        Self {
            refuses: Mutex::new(ends),
            taken: Mutex::default(),
            rooms: Mutex::default(),
        }
    }

    pub fn refuses(&self, address: &str) -> bool {
        let refuses = self.refuses.lock();
        let refuses = refuses.unwrap_or_else(PoisonError::into_inner);
        refuses.iter().any(|end| address.ends_with(end.as_str()))
    }

    /// From now on it takes nothing for anybody.
    pub fn refuse_all(&self) {
        let refuses = self.refuses.lock();
        refuses
            .unwrap_or_else(PoisonError::into_inner)
            .push(String::new());
    }

    /// From now on many read what goes to this address.
    pub fn is_a_room(&self, address: &str) {
        let rooms = self.rooms.lock();
        rooms
            .unwrap_or_else(PoisonError::into_inner)
            .push(address.to_owned());
    }

    /// What it has taken, in its order.
    pub fn taken(&self) -> Vec<Message> {
        self.messages().clone()
    }

    fn messages(&self) -> MutexGuard<'_, Vec<Message>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Channel for NextHop {
    async fn deliver(&self, message: &Message) -> Delivery {
        if self.refuses(&message.to_address) {
            let answer = "550 nobody of that name".to_owned();
            return Delivery::Refused { answer };
        }
        self.messages().push(message.clone());
        Delivery::Accepted {
            answer: "250 kept".to_owned(),
            sha256: message.message_id.clone(),
        }
    }

    fn is_private(&self, to_address: &str) -> bool {
        let rooms = self.rooms.lock();
        let rooms = rooms.unwrap_or_else(PoisonError::into_inner);
        !rooms.iter().any(|room| room == to_address)
    }
}
