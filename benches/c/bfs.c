/* A plain, tuned breadth-first walk to compare with.
 *
 *   cc -O3 -march=native -o bfs bfs.c
 *   ./bfs EDGES.csv ITEMS DIRECTION ID...
 *
 * Reads edges.csv of gen_graph.py (source,target,...), builds one compressed sparse row array in
 * the given direction (1 = dependents, 3 = dependencies, as in Q1 and Q3), and walks from each id:
 * a bitmap of visited items, a queue that also undoes the bitmap, and prefetches of the rows and
 * neighbours a few places ahead in the queue. Prints, for each id, count, sum and exclusive or of
 * the items met without the start, and the median time of one walk in microseconds.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static uint32_t *row, *adjacent, *queue;
static uint64_t *visited;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

static size_t walk(uint32_t start, uint64_t *sum, uint64_t *xored) {
    size_t head = 0, tail = 0;
    uint64_t s = 0, x = 0;
    queue[tail++] = start;
    visited[start >> 6] |= 1ull << (start & 63);
    while (head < tail) {
        if (head + 16 < tail) __builtin_prefetch(&row[queue[head + 16]]);
        if (head + 8 < tail) __builtin_prefetch(&adjacent[row[queue[head + 8]]]);
        uint32_t item = queue[head++];
        for (uint32_t at = row[item], end = row[item + 1]; at < end; at++) {
            uint32_t next = adjacent[at];
            uint64_t bit = 1ull << (next & 63), *word = &visited[next >> 6];
            if (!(*word & bit)) {
                *word |= bit;
                queue[tail++] = next;
            }
        }
    }
    for (size_t at = 1; at < tail; at++) {
        s += queue[at];
        x ^= queue[at];
    }
    for (size_t at = 0; at < tail; at++) visited[queue[at] >> 6] = 0;
    *sum = s;
    *xored = x;
    return tail - 1;
}

static int by_time(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv) {
    if (argc < 5) {
        fprintf(stderr, "usage: bfs EDGES.csv ITEMS 1|3 ID...\n");
        return 2;
    }
    FILE *file = fopen(argv[1], "r");
    if (!file) {
        perror(argv[1]);
        return 2;
    }
    size_t items = strtoull(argv[2], 0, 10), edges = 0, room = 1 << 20;
    int dependents = argv[3][0] == '1';
    uint32_t *from = malloc(room * 4), *to = malloc(room * 4);
    char line[256];
    if (!fgets(line, sizeof line, file)) return 2;
    while (fgets(line, sizeof line, file)) {
        if (edges == room) {
            room *= 2;
            from = realloc(from, room * 4);
            to = realloc(to, room * 4);
        }
        char *rest;
        uint32_t source = strtoul(line, &rest, 10), target = strtoul(rest + 1, 0, 10);
        from[edges] = dependents ? target : source;
        to[edges] = dependents ? source : target;
        edges++;
    }
    row = calloc(items + 2, 4);
    adjacent = malloc(edges * 4);
    queue = malloc((items + 1) * 4);
    visited = calloc(items / 64 + 1, 8);
    for (size_t at = 0; at < edges; at++) row[from[at] + 2]++;
    for (size_t at = 2; at < items + 2; at++) row[at] += row[at - 1];
    for (size_t at = 0; at < edges; at++) adjacent[row[from[at] + 1]++] = to[at];

    for (int argument = 4; argument < argc; argument++) {
        uint32_t start = strtoul(argv[argument], 0, 10);
        uint64_t sum, xored;
        size_t count = walk(start, &sum, &xored);
        static double times[1000];
        int walks = 0;
        double begun = now();
        while (walks < 3 || (walks < 1000 && now() - begun < 100000)) {
            double started = now();
            walk(start, &sum, &xored);
            times[walks++] = now() - started;
        }
        qsort(times, walks, sizeof *times, by_time);
        printf("Q%d %u\t%zu\t%llu\t%llu\t%.2f\n", dependents ? 1 : 3, start, count, (unsigned long long)sum,
               (unsigned long long)xored, times[walks / 2]);
    }
    return 0;
}
