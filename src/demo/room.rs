//! Who is in the chat, and how everybody hears of everything. No input and no output.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::broadcast;

use super::message::Event;

/// The most clients at the same time.
pub const MAX_CLIENTS: usize = 1000;
/// Events that a client may be behind before it is sent away.
const BACKLOG: usize = 256;

/// The one room of the chat.
#[derive(Debug)]
pub(super) struct Room {
    names: Mutex<BTreeSet<String>>,
    events: broadcast::Sender<Event>,
}

/// Somebody in the room.
#[derive(Debug)]
pub(super) struct Member<'a> {
    room: &'a Room,
    name: String,
    /// What happens in the room from now on, the member's own doings included.
    pub(super) events: broadcast::Receiver<Event>,
}

impl Room {
    /// An empty room.
    pub(super) fn new() -> Self {
        Room { names: Mutex::default(), events: broadcast::channel(BACKLOG).0 }
    }

    /// Lets somebody in under a name of the room's choice, and says what the newcomer is to be told. None if the room is full.
    pub(super) fn enter(&self, client: String) -> Option<(Member<'_>, Event)> {
        let mut names = self.names();
        if names.len() >= MAX_CLIENTS {
            return None;
        }
        // One of the first so many is free.
        let name = (1..=MAX_CLIENTS).map(|number| format!("guest-{number}")).find(|name| !names.contains(name))?;
        names.insert(name.clone());
        self.tell(Event::Hello { name: name.clone(), client: None, people: None });
        let people = Some(names.iter().cloned().collect());
        let member = Member { room: self, name: name.clone(), events: self.events.subscribe() };
        Some((member, Event::Hello { name, client: Some(client), people }))
    }

    fn tell(&self, event: Event) {
        // An empty room has nobody to tell.
        let _ = self.events.send(event);
    }

    fn names(&self) -> MutexGuard<'_, BTreeSet<String>> {
        // No code that can panic runs while it is held.
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Member<'_> {
    /// Says something to everybody.
    pub(super) fn say(&self, msg: String) {
        self.room.tell(Event::Say { name: self.name.clone(), msg });
    }

    /// Takes another name. The error is for the member.
    pub(super) fn rename(&mut self, new: String) -> Result<(), String> {
        let mut names = self.room.names();
        if new == self.name {
            return Ok(());
        }
        if !names.insert(new.clone()) {
            return Err(format!("somebody else is called {new}"));
        }
        names.remove(&self.name);
        let old = std::mem::replace(&mut self.name, new.clone());
        self.room.tell(Event::Name { old, new });
        Ok(())
    }
}

impl Drop for Member<'_> {
    fn drop(&mut self) {
        self.room.names().remove(&self.name);
        self.room.tell(Event::Goodbye { name: std::mem::take(&mut self.name) });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_has_an_end_and_names_are_one_each() {
        let room = Room::new();
        let (mut first, hello) = room.enter("192.0.2.1:7".to_owned()).expect("it is empty");
        let people = Some(vec!["guest-1".to_owned()]);
        assert_eq!(hello, Event::Hello { name: "guest-1".to_owned(), client: Some("192.0.2.1:7".to_owned()), people });
        let mut others: Vec<_> = (1..MAX_CLIENTS).map(|_| room.enter(String::new()).expect("there is room")).collect();
        assert!(room.enter(String::new()).is_none());
        assert_eq!(first.rename("guest-2".to_owned()), Err("somebody else is called guest-2".to_owned()));
        others.pop();
        let (mut late, _) = room.enter(String::new()).expect("one has gone");
        assert_eq!(late.rename("Ada".to_owned()), Ok(()));
        assert_eq!(late.rename("Ada".to_owned()), Ok(()));
        let expected = Event::Name { old: format!("guest-{MAX_CLIENTS}"), new: "Ada".to_owned() };
        assert_eq!(late.events.try_recv(), Ok(expected), "everybody hears of it, once");
        assert!(late.events.try_recv().is_err());
    }
}
