//! Against a map of the standard library, over random changes.

use super::*;
use std::collections::BTreeMap;

type Model = BTreeMap<Vec<u8>, (Vec<u8>, Option<i64>)>;

fn some_name(random: &mut Random) -> Vec<u8> {
    let id = random.below(400);
    if id < 4 {
        return vec![b'n'; 120 + id as usize * 5];
    }
    format!("name:{id}").into_bytes()
}

fn some_value(random: &mut Random) -> Vec<u8> {
    let length = [0, 1, 7, 7, 254, 255, 256, 5000][random.below(8) as usize];
    vec![random.below(256) as u8; length]
}

fn assert_equal(members: &Members<WithValue>, model: &Model) {
    assert_eq!(members.len(), model.len());
    let content: Model = members
        .iter()
        .map(|m| (m.name().to_vec(), (m.value().to_vec(), m.deadline())))
        .collect();
    assert_eq!(&content, model);
    let first = model.values().filter_map(|(_, deadline)| *deadline).min();
    assert_eq!(
        members.first_expiring().map(|(deadline, _)| deadline),
        first
    );
}

#[test]
fn model_members_behave_as_a_map_with_deadlines_does() {
    let operations: usize = std::env::var("OXIDIS_MODEL_OPERATIONS")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(20_000);
    let mut random = Random::from_seed(5);
    let mut members = Members::<WithValue>::new(Hasher::new(1, 2));
    let mut model = Model::new();
    for step in 0..operations {
        let bytes = some_name(&mut random);
        let name = members.name(&bytes);
        let deadline = (random.below(3) == 0).then(|| random.below(1000) as i64);
        let found = members.find(&name).map(|(position, _)| position);
        assert_eq!(found.is_some(), model.contains_key(&bytes));
        match (found, random.below(4)) {
            (None, _) => {
                let value = some_value(&mut random);
                members.insert(&name, &value, deadline);
                model.insert(bytes, (value, deadline));
            }
            (Some(position), 0) => {
                members.remove(position, name.hash);
                model.remove(&bytes);
            }
            (Some(position), 1) => {
                let value = some_value(&mut random);
                members.set(position, &value);
                model.entry(bytes).and_modify(|(old, _)| *old = value);
            }
            (Some(position), _) => {
                members.set_deadline(position, deadline);
                model.entry(bytes).and_modify(|(_, old)| *old = deadline);
            }
        }
        if step % 500 == 0 {
            assert_equal(&members, &model);
            assert_equal(&members.copy(), &model);
        }
    }
    assert_equal(&members, &model);
}

#[test]
fn scores_change_in_place_and_handles_stay() {
    let mut members = Members::<WithScore>::new(Hasher::new(1, 2));
    for number in 0..1000 {
        let bytes = format!("member:{number}").into_bytes();
        let name = members.name(&bytes);
        members.insert(&name, f64::from(number), None);
    }
    let name = members.name(b"member:7");
    let (position, member) = members.find(&name).expect("it was added");
    let handle = member.handle();
    assert!(members.set(position, -0.5).handle() == handle);
    assert_eq!(members.get(&name).map(|member| member.value()), Some(-0.5));
}

#[test]
fn a_set_keeps_names_alone() {
    let mut members = Members::<NameOnly>::new(Hasher::new(1, 2));
    let long = vec![b'x'; 127];
    for bytes in [&b""[..], b"a", &long] {
        let name = members.name(bytes);
        members.insert(&name, (), None);
        assert_eq!(members.get(&name).map(|member| member.name()), Some(bytes));
    }
    assert_eq!(members.record_bytes, 1 + 2 + 132);
    let seen = &mut 0;
    assert_eq!(members.scan(0, |_| *seen += 1), 0);
    assert_eq!(*seen, 3);
}
