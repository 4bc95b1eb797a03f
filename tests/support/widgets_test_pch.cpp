// Owner of the precompiled header that the tests of widgets share.
