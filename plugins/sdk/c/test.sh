# Runs the unit tests of a project natively, with the fake host of `test`.
set -e
mkdir -p build
${CC:-cc} -std=c11 -g -Wall -Wextra -Ivendor -Ibindings -Isrc vendor/*.c src/*.c test/*.c -o build/test
build/test
