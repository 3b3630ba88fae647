// A program in Rust for `swingsim bench meter`: what its library does with maps, strings
// and lists. The last 4 bytes of a delivery's body say how many rounds; the sum of what was
// computed goes out as a syscall.
use std::collections::BTreeMap;
use std::fmt::Write;

#[link(wasm_import_module = "vat_v1")]
extern "C" {
    fn input_read(to: *mut u8, at: u32, n: u32) -> u32;
    fn syscall(op: u32, request: *const u8, n: u32, answer: *mut u8, room: u32) -> i32;
}

struct Node {
    left: Option<Box<Node>>,
    right: Option<Box<Node>>,
    value: u64,
}

fn tree(depth: u32, seed: &mut u64) -> Option<Box<Node>> {
    if depth == 0 {
        return None;
    }
    *seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
    let value = *seed >> 40;
    let left = tree(depth - 1, seed);
    Some(Box::new(Node { left, right: tree(depth - 1, seed), value }))
}

fn total(node: &Option<Box<Node>>) -> u64 {
    match node {
        None => 1,
        Some(n) => n.value ^ total(&n.left).wrapping_mul(3) ^ total(&n.right).wrapping_mul(5),
    }
}

fn round(seed: &mut u64) -> u64 {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    let mut text = String::new();
    for i in 0..2000u64 {
        *seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        text.clear();
        write!(text, "word-{}-{:x}", (*seed >> 33) % 500, i % 7).unwrap();
        *counts.entry(text.clone()).or_insert(0) += i;
    }
    let mut list: Vec<(u64, &String)> = counts.iter().map(|(k, v)| (*v, k)).collect();
    list.sort_by(|a, b| b.cmp(a));
    let mut sum = list.iter().fold(7u64, |s, (v, k)| {
        k.bytes().fold(s.wrapping_mul(31).wrapping_add(*v), |s, b| s.wrapping_mul(131) ^ b as u64)
    });
    sum ^= total(&tree(11, seed));
    sum
}

#[no_mangle]
pub extern "C" fn vat_deliver(len: u32) -> i32 {
    let mut order = [0u8; 4];
    unsafe { input_read(order.as_mut_ptr(), len - 5, 4) };
    let (mut seed, mut sum) = (1u64, 0u64);
    for _ in 0..u32::from_le_bytes(order) {
        sum = sum.wrapping_mul(31).wrapping_add(round(&mut seed));
    }
    let bytes = sum.to_le_bytes();
    unsafe { syscall(1, bytes.as_ptr(), 8, std::ptr::null_mut(), 0) };
    0
}
