/* Counts the instructions that a program executes under qemu's user emulation: a plugin for qemu.

   cc -O2 -shared -fPIC -o instructions.so instructions.c
   qemu-aarch64 -plugin instructions.so,out=FILE PROGRAM

   The program marks what is to be counted by two system calls that Linux does not have: MARK with 0
   begins, MARK with 1 ends and adds a line to FILE: the instructions from the beginning to each time
   that the clock was read, and those in all. XNNPACK's profiler reads the clock after each operator.

   Few distributions ship qemu's header; the part of its interface that is used stands here (version 1,
   which qemu 6 to 8 load: docs/devel/tcg-plugins in qemu). */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))
#define MARK 4247
#define CLOCK_GETTIME 113 /* of 64-bit Arm */
#define MOST_READS 65536

typedef uint64_t qemu_plugin_id_t;
struct qemu_info;
struct qemu_plugin_tb;
enum { ADD_U64 = 0 };

EXPORT int qemu_plugin_version = 1;
void qemu_plugin_register_vcpu_tb_trans_cb(
    qemu_plugin_id_t, void (*)(qemu_plugin_id_t, struct qemu_plugin_tb *));
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *, int, void *, uint64_t);
void qemu_plugin_register_vcpu_syscall_cb(
    qemu_plugin_id_t,
    void (*)(qemu_plugin_id_t, unsigned, int64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t,
             uint64_t, uint64_t, uint64_t));

static uint64_t executed;
static uint64_t beginning;
static uint64_t reads[MOST_READS];
static size_t read_count;
static bool counting;
static char out[4096];

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *block) {
  (void)id;
  qemu_plugin_register_vcpu_tb_exec_inline(block, ADD_U64, &executed, qemu_plugin_tb_n_insns(block));
}

static void finish(uint64_t now) {
  FILE *file = fopen(out, "a");
  if (file == NULL) return;
  for (size_t i = 0; i < read_count; i++) fprintf(file, "%llu ", (unsigned long long)reads[i]);
  fprintf(file, "%llu\n", (unsigned long long)now);
  fclose(file);
}

static void called(qemu_plugin_id_t id, unsigned cpu, int64_t number, uint64_t first, uint64_t a2,
                   uint64_t a3, uint64_t a4, uint64_t a5, uint64_t a6, uint64_t a7, uint64_t a8) {
  (void)id, (void)cpu, (void)a2, (void)a3, (void)a4, (void)a5, (void)a6, (void)a7, (void)a8;
  if (number == MARK && first == 0) {
    counting = true;
    read_count = 0;
    beginning = executed;
  } else if (number == MARK && counting) {
    counting = false;
    finish(executed - beginning);
  } else if (number == CLOCK_GETTIME && counting && read_count < MOST_READS) {
    reads[read_count++] = executed - beginning;
  }
}

EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info *info, int argc,
                               char **argv) {
  (void)info;
  for (int i = 0; i < argc; i++)
    if (strncmp(argv[i], "out=", 4) == 0) snprintf(out, sizeof out, "%s", argv[i] + 4);
  qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
  qemu_plugin_register_vcpu_syscall_cb(id, called);
  return 0;
}
