/* Reads JSON, a line each, and writes it again; `none` for what is no JSON. */
#include <stdio.h>
#include <string.h>

#include "ferrule.h"

int main(void) {
    static char line[1 << 20];
    while (fgets(line, sizeof line, stdin)) {
        const ferrule_json *read = ferrule_read(line, strcspn(line, "\n"));
        puts(read ? ferrule_write(read) : "none");
    }
    return 0;
}
