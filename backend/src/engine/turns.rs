//! First come, first served: one computation at a time has the device.
//!
//! Training takes a turn for one step and a chat for a few tokens, so nobody waits for more than one step and the
//! slices of the chats before. A plain mutex would not do: who gives it back can take it again before a waiter wakes.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Whose turn it is.
#[derive(Debug, Default)]
pub struct Turns {
    tickets: Mutex<Tickets>,
    next: Condvar,
}

#[derive(Debug, Default)]
struct Tickets {
    /// Of whoever comes next.
    free: u64,
    /// Of whoever has the device, or has it next.
    called: u64,
}

/// The device, until dropped.
#[derive(Debug)]
pub struct Turn<'a> {
    turns: &'a Turns,
}

impl Turns {
    /// Waits for everybody who came before.
    pub fn take(&self) -> Turn<'_> {
        let mut tickets = self.lock();
        let ticket = tickets.free;
        tickets.free += 1;
        while tickets.called != ticket {
            tickets = self.next.wait(tickets).unwrap_or_else(PoisonError::into_inner);
        }
        Turn { turns: self }
    }

    /// How many have the device or wait for it.
    #[cfg(test)]
    fn waiting(&self) -> u64 {
        let tickets = self.lock();
        tickets.free - tickets.called
    }

    /// Two numbers cannot be left half changed by a panic.
    fn lock(&self) -> MutexGuard<'_, Tickets> {
        self.tickets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.turns.lock().called += 1;
        self.turns.next.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn who_came_first_is_served_first() {
        let turns = Turns::default();
        let order = Mutex::new(Vec::new());

        thread::scope(|scope| {
            let mine = turns.take();
            for number in 0..8 {
                let (turns, order) = (&turns, &order);
                scope.spawn(move || {
                    let _turn = turns.take();
                    order.lock().unwrap().push(number);
                });
                // So that they come in this order.
                while turns.waiting() < number + 2 {
                    thread::yield_now();
                }
            }
            drop(mine);
        });

        assert_eq!(order.into_inner().unwrap(), (0..8).collect::<Vec<_>>());
    }

    #[test]
    fn who_takes_turn_after_turn_lets_others_in_between() {
        let turns = Turns::default();

        thread::scope(|scope| {
            let greedy = turns.take();
            let other = scope.spawn(|| drop(turns.take()));
            while turns.waiting() < 2 {
                thread::yield_now();
            }
            drop(greedy);
            // Would be first again with a plain mutex, most of the time.
            let _again = turns.take();
            other.join().unwrap();
        });
    }

    #[test]
    fn a_turn_that_panics_is_over() {
        let turns = Turns::default();

        let panicked = thread::scope(|scope| {
            scope
                .spawn(|| {
                    let _turn = turns.take();
                    panic!("on purpose");
                })
                .join()
        });

        assert!(panicked.is_err());
        drop(turns.take());
    }
}
