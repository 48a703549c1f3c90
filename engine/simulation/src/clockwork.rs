//! Simulated time and the one thread: tasks are polled in an order that chance decides; when none
//! can go on, time jumps to the next alarm.
//!
//! Not here: real time, real waiting, any knowledge of what the tasks do.

use crate::chance::Chance;
use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

/// The process that a task belongs to; 0 is the world around the processes.
pub type Owner = u64;
pub const WORLD: Owner = 0;

type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

struct Task {
    owner: Owner,
    /// Absent while it is being polled.
    work: Option<Work>,
    bell: Arc<Bell>,
}

/// Puts its task into the ready list once, however often it is rung.
struct Bell {
    task: u64,
    rung: AtomicBool,
    ready: Arc<Mutex<Vec<u64>>>,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        if !self.rung.swap(true, Ordering::SeqCst) {
            locked(&self.ready).push(self.task);
        }
    }
}

#[derive(Default)]
struct Inside {
    number: u64,
    tasks: BTreeMap<u64, Task>,
    alarms: BTreeMap<(i64, u64), Waker>,
    /// Stopped processes with those of their tasks that were rung meanwhile.
    stopped: BTreeMap<Owner, BTreeSet<u64>>,
}

pub struct Clockwork {
    now_ms: AtomicI64,
    inside: Mutex<Inside>,
    ready: Arc<Mutex<Vec<u64>>>,
    order: Mutex<Chance>,
}

pub fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Clockwork {
    #[must_use]
    pub fn new(order: Chance) -> Arc<Self> {
        Arc::new(Self {
            now_ms: AtomicI64::new(0),
            inside: Mutex::default(),
            ready: Arc::default(),
            order: Mutex::new(order),
        })
    }

    /// Milliseconds since the beginning of the play: true time, which no process can read.
    #[must_use]
    pub fn now_ms(&self) -> i64 {
        self.now_ms.load(Ordering::SeqCst)
    }

    pub fn spawn(&self, owner: Owner, work: impl Future<Output = ()> + Send + 'static) {
        let mut inside = locked(&self.inside);
        inside.number += 1;
        let task = inside.number;
        let bell = Arc::new(Bell {
            task,
            rung: AtomicBool::new(true),
            ready: Arc::clone(&self.ready),
        });
        let work: Option<Work> = Some(Box::pin(work));
        inside.tasks.insert(task, Task { owner, work, bell });
        locked(&self.ready).push(task);
    }

    pub fn sleep(self: &Arc<Self>, for_ms: i64) -> Sleep {
        Sleep {
            clockwork: Arc::clone(self),
            at_ms: self.now_ms() + for_ms.max(0),
            alarm: None,
        }
    }

    /// A stopped process is not polled, whatever happens around it.
    pub fn stop(&self, owner: Owner) {
        locked(&self.inside).stopped.entry(owner).or_default();
    }

    pub fn go_on(&self, owner: Owner) {
        let rung = locked(&self.inside).stopped.remove(&owner);
        locked(&self.ready).extend(rung.unwrap_or_default());
    }

    /// All tasks of a process are gone from one instant to the next.
    pub fn kill(&self, owner: Owner) {
        let gone: Vec<Task> = {
            let mut inside = locked(&self.inside);
            inside.stopped.remove(&owner);
            let of_owner = |task: &Task| task.owner == owner;
            let ids: Vec<u64> = inside
                .tasks
                .iter()
                .filter(|(_, task)| of_owner(task))
                .map(|(id, _)| *id)
                .collect();
            ids.iter()
                .filter_map(|id| inside.tasks.remove(id))
                .collect()
        };
        // Outside the lock: what is dropped may ring others.
        drop(gone);
    }

    /// Lets go of all tasks: they refer to what they run on.
    pub fn clear(&self) {
        // Twice: what is dropped may have spawned a last thing.
        for _ in 0..2 {
            let gone = std::mem::take(&mut locked(&self.inside).tasks);
            drop(gone);
        }
    }

    /// Polls one task, or lets time jump; false when nothing will ever happen again.
    pub fn turn(&self) -> bool {
        match self.next_ready() {
            Some((id, work, bell)) => {
                self.poll(id, work, bell);
                true
            }
            None => self.jump(),
        }
    }

    fn next_ready(&self) -> Option<(u64, Work, Arc<Bell>)> {
        let mut inside = locked(&self.inside);
        loop {
            let id = {
                let mut ready = locked(&self.ready);
                if ready.is_empty() {
                    return None;
                }
                let at = locked(&self.order).at(ready.len());
                ready.swap_remove(at)
            };
            let Some(owner) = inside.tasks.get(&id).map(|task| task.owner) else {
                continue;
            };
            if let Some(rung) = inside.stopped.get_mut(&owner) {
                rung.insert(id);
                continue;
            }
            let task = inside.tasks.get_mut(&id)?;
            task.bell.rung.store(false, Ordering::SeqCst);
            let bell = Arc::clone(&task.bell);
            return Some((id, task.work.take()?, bell));
        }
    }

    fn poll(&self, id: u64, mut work: Work, bell: Arc<Bell>) {
        let waker = Waker::from(bell);
        let polled = work.as_mut().poll(&mut Context::from_waker(&waker));
        let finished = {
            let mut inside = locked(&self.inside);
            match polled {
                Poll::Pending => {
                    if let Some(task) = inside.tasks.get_mut(&id) {
                        task.work = Some(work);
                        None
                    } else {
                        Some(work)
                    }
                }
                Poll::Ready(()) => {
                    inside.tasks.remove(&id);
                    Some(work)
                }
            }
        };
        drop(finished);
    }

    fn jump(&self) -> bool {
        let due: Vec<Waker> = {
            let mut inside = locked(&self.inside);
            let Some((at_ms, _)) = inside.alarms.keys().next().copied() else {
                return false;
            };
            self.now_ms.fetch_max(at_ms, Ordering::SeqCst);
            let later = inside.alarms.split_off(&(at_ms + 1, 0));
            std::mem::replace(&mut inside.alarms, later)
                .into_values()
                .collect()
        };
        due.into_iter().for_each(Waker::wake);
        true
    }
}

/// Resolves at an instant of true time.
pub struct Sleep {
    clockwork: Arc<Clockwork>,
    at_ms: i64,
    alarm: Option<u64>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.clockwork.now_ms() >= self.at_ms {
            return Poll::Ready(());
        }
        if self.alarm.is_none() {
            let number = {
                let mut inside = locked(&self.clockwork.inside);
                inside.number += 1;
                let number = inside.number;
                inside
                    .alarms
                    .insert((self.at_ms, number), context.waker().clone());
                number
            };
            self.alarm = Some(number);
        }
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(number) = self.alarm {
            let alarm = locked(&self.clockwork.inside)
                .alarms
                .remove(&(self.at_ms, number));
            drop(alarm);
        }
    }
}
