/** The tests of the cache with thousands of kill points. */
process.env.REFADGEN_TEST_KILLS ??= "3000";
await import("./cache.test.js");
