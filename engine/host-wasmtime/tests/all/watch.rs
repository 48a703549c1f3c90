//! An engine that listens and can interfere.

use async_trait::async_trait;
use hostler_ports::plugin::{CallWatch, JournalEntry, LeaseLost};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::watch;

pub struct Watch {
    pub journal: Mutex<Vec<JournalEntry>>,
    pub lines: Mutex<Vec<String>>,
    pub stale: AtomicBool,
    pub lease_lost: AtomicBool,
    cut: watch::Sender<bool>,
}

impl Default for Watch {
    fn default() -> Self {
        Self {
            journal: Mutex::default(),
            lines: Mutex::default(),
            stale: AtomicBool::new(false),
            lease_lost: AtomicBool::new(false),
            cut: watch::channel(false).0,
        }
    }
}

impl Watch {
    pub fn cut_now(&self) {
        self.cut.send_replace(true);
    }
}

#[async_trait]
impl CallWatch for Watch {
    async fn journal(&self, entry: JournalEntry) -> Result<(), LeaseLost> {
        if self.lease_lost.load(Ordering::SeqCst) {
            return Err(LeaseLost);
        }
        self.journal.lock().unwrap().push(entry);
        Ok(())
    }

    fn may_begin(&self) -> bool {
        !self.stale.load(Ordering::SeqCst)
    }

    async fn cut(&self) {
        let mut cut = self.cut.subscribe();
        if cut.wait_for(|cut| *cut).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    fn log(&self, level: &str, line: &str) {
        self.lines.lock().unwrap().push(format!("{level} {line}"));
    }

    fn progress(&self, percent: u8, note: &str) {
        self.lines
            .lock()
            .unwrap()
            .push(format!("{percent}% {note}"));
    }
}
