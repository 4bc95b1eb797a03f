# ctest's LastTest.log → "passed failed skipped". A Qt Test program counts with its test functions and data rows (a function
# that skips counts as skipped), a program that closes with "N passed, N failed, N skipped" with these numbers,
# everything else as one.
function close_test() {
    if (!open) return
    if (own) { passed += ownPassed; failed += ownFailed; skipped += ownSkipped }
    else if (qtPassed + qtFailed + qtSkipped > 0) { passed += qtPassed; failed += qtFailed; skipped += qtSkipped }
    else if (status == "passed") passed++
    else if (status == "skipped") skipped++
    if (status == "failed" && (own ? ownFailed : qtFailed) == 0) failed++
    open = 0
}
/^[0-9]+\/[0-9]+ Testing: / { close_test(); open = 1; own = qtPassed = qtFailed = qtSkipped = 0; status = "failed" }
/^PASS   : / { if ($0 !~ /::(initTestCase|cleanupTestCase)\(\)/) qtPassed++ }
/^FAIL!  : / { qtFailed++ }
/^XPASS  : / { qtFailed++ }
/^SKIP   : / { qtSkipped++ }
/^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$/ { own = 1; ownPassed = $1; ownFailed = $3; ownSkipped = $5 }
/^Test Passed\.$/ { status = "passed" }
/^Test Failed\.$/ { status = "failed" }
/^Test Skipped\.?$/ { status = "skipped" }
END { close_test(); print passed + 0, failed + 0, skipped + 0 }
