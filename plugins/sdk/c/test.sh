# Runs the unit tests of a project natively, with the fake host of `test`.
set -e
for part in $(sed -n 's/^#include "ferrule_\([a-z]*\)\.h".*/\1/p' src/*.c test/*.c | sort -u); do
    grep -q "import ferrule:plugin/$part@" wit/world.wit && continue
    echo "\`ferrule_$part.h\` is used, and \`wit/world.wit\` does not import it; add the line" >&2
    echo "    import ferrule:plugin/$part@0.2.0;" >&2
    echo "and run \`ferrule plugin build\`, which makes the bindings again" >&2
    exit 1
done
mkdir -p build
${CC:-cc} -std=c11 -g -Wall -Wextra -Ivendor -Ibindings -Isrc vendor/*.c src/*.c test/*.c -o build/test
build/test
