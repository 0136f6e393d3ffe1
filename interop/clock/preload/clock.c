/* The system clock of a program under test, moved by what the file $HOMING_TEST_CLOCK says (see ../clock.go). Loaded by
   LD_PRELOAD in front of the C library. Clocks that only measure how long something takes stay as they are. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *ahead;

__attribute__((constructor)) static void begin(void)
{
	const char *file = getenv("HOMING_TEST_CLOCK");
	int fd = file ? open(file, O_RDONLY | O_CLOEXEC) : -1;
	if (fd < 0)
		return;
	void *p = mmap(NULL, sizeof *ahead, PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	if (p != MAP_FAILED)
		ahead = p;
}

int clock_gettime(clockid_t id, struct timespec *now)
{
	int code = (int)syscall(SYS_clock_gettime, id, now);
	if (code == 0 && ahead && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE))
		now->tv_sec += *ahead;
	return code;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
	(void)zone;
	struct timespec t;
	int code = clock_gettime(CLOCK_REALTIME, &t);
	if (code == 0) {
		now->tv_sec = t.tv_sec;
		now->tv_usec = t.tv_nsec / 1000;
	}
	return code;
}

time_t time(time_t *now)
{
	struct timespec t;
	if (clock_gettime(CLOCK_REALTIME, &t) != 0)
		return (time_t)-1;
	if (now)
		*now = t.tv_sec;
	return t.tv_sec;
}
