/* Checks the table of `schema.json` on its input: prints the path, expected and got of each row, or `null`. */
#include <stdio.h>
#include <string.h>

#include "ferrule_schema.h"

int main(void) {
    static char text[1 << 20];
    const ferrule_json *rows = ferrule_read(text, fread(text, 1, sizeof text, stdin));
    for (const ferrule_json *row = rows ? rows->first : NULL; row; row = row->next) {
        const ferrule_json *schema = ferrule_get(row, "schema"), *value = row->first;
        while (value && !ferrule_same(value->name, "value")) value = value->next;
        if (!value || ferrule_unknown_keyword(schema)) return 1;
        ferrule_mismatch wrong = ferrule_check(schema, value);
        ferrule_json *told = ferrule_array();
        if (wrong.path) {
            ferrule_add(told, ferrule_new_text(wrong.path));
            ferrule_add(told, ferrule_new_text(wrong.expected));
            ferrule_add(told, ferrule_new_text(wrong.got));
        }
        puts(wrong.path ? ferrule_write(told) : "null");
    }
    const char *unknown = "{\"properties\":{\"a\":{\"dependentRequired\":{}}}}";
    puts(ferrule_unknown_keyword(ferrule_read(unknown, strlen(unknown))));
    return 0;
}
