#include "rows/rows.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/util.h"

const char *const row_kind_names[ROW_KIND_MAX] = {
    [ROW_APP] = "application",
    [ROW_SUP] = "supervisor",
    [ROW_WORKER] = "worker",
    [ROW_TEMPLATE] = "template",
};

const char *const strategy_names[STRATEGY_MAX] = {
    [ONE_FOR_ONE] = "one_for_one",
    [ONE_FOR_ALL] = "one_for_all",
    [REST_FOR_ONE] = "rest_for_one",
    [SIMPLE_ONE_FOR_ONE] = "simple_one_for_one",
};

const char *const restart_type_names[RESTART_TYPE_MAX] = {
    [PERMANENT] = "permanent",
    [TRANSIENT] = "transient",
    [TEMPORARY] = "temporary",
};

const char *const auto_shutdown_names[AUTO_MAX] = {
    [AUTO_NEVER] = "never",
    [AUTO_ANY_SIGNIFICANT] = "any_significant",
    [AUTO_ALL_SIGNIFICANT] = "all_significant",
};

const char *const stop_order_names[STOP_ORDER_MAX] = {
    [STOP_REVERSE] = "reverse",
    [STOP_ANY] = "any",
};

const char *const ready_names[READY_MAX] = {
    [READY_NONE] = "none",
    [READY_NOTIFY] = "notify",
    [READY_TCP] = "tcp",
    [READY_FD] = "fd",
};

int
rows_map(int fd, struct rows *out, struct err *err)
{
	struct stat st;
	struct rows seen;
	if (fstat(fd, &st) < 0)
		return err_sys(err, "cannot look at the rows");
	if (st.st_size < (off_t)sizeof(struct rows_head) || st.st_size > ROWS_SIZE_MAX)
		return err_set(err, ERR_PROTO, "rows of %lld bytes are none",
		    (long long)st.st_size);
	size_t size = (size_t)st.st_size;
	void *block = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
	if (block == MAP_FAILED)
		return err_sys(err, "cannot map the rows");
	if (rows_check(block, size, &seen, err) < 0) {
		(void)munmap(block, size);
		return -1;
	}
	*out = seen;
	return 0;
}

void
rows_unmap(struct rows *rows)
{
	if (rows->head != NULL)
		(void)munmap(unconst(rows->head), (size_t)rows->head->size);
	*rows = (struct rows){0};
}

uint32_t
rows_find(const struct rows *r, const char *id)
{
	for (uint32_t i = 0; i < r->head->nrows; i++)
		if (strcmp(rows_string(r, r->row[i].id), id) == 0)
			return i;
	return ROW_NONE;
}
