#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| elbws_fuzz::reply(data));
