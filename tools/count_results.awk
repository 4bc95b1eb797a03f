# ctest's JUnit file and LastTest.log → "passed failed skipped". The first tells which tests were skipped as a whole. A Qt Test program counts with its test functions and data rows (a function
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
FNR == 1 { file++ }
file == 1 {
    if (match($0, /<testcase name="[^"]*"/)) name = substr($0, RSTART + 16, RLENGTH - 17)
    if (/<skipped message="SKIP_/) wholeSkipped[name] = 1
    next
}
/^[0-9]+\/[0-9]+ Testing: / { close_test(); open = 1; current = $3; own = qtPassed = qtFailed = qtSkipped = 0; status = "failed" }
/^PASS   : / { if ($0 !~ /::(initTestCase|cleanupTestCase)\(\)/) qtPassed++ }
/^FAIL!  : / { qtFailed++ }
/^XPASS  : / { qtFailed++ }
/^SKIP   : / { qtSkipped++ }
/^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$/ { own = 1; ownPassed = $1; ownFailed = $3; ownSkipped = $5 }
/^Test Passed\.$/ { status = (current in wholeSkipped) ? "skipped" : "passed" }
/^Test Failed\.$/ { status = "failed" }
END { close_test(); print passed + 0, failed + 0, skipped + 0 }
