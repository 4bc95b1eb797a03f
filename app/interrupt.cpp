#include "app/interrupt.h"

#include "app/options.h"

#include <atomic>
#include <csignal>
#include <semaphore.h>
#include <unistd.h>

namespace app {

namespace {

// A signal handler may only touch these: a semaphore post and a lock-free counter are safe in it.
sem_t wakeUp;
std::atomic<int> signalsSeen{0};
static_assert(std::atomic<int>::is_always_lock_free);

void onSignal(int)
{
    if (signalsSeen.fetch_add(1) > 0)
        _exit(Interrupted);
    sem_post(&wakeUp);
}

void install(void (*handler)(int))
{
    struct sigaction action{};
    action.sa_handler = handler;
    action.sa_flags = SA_RESTART;
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, nullptr);
    sigaction(SIGTERM, &action, nullptr);
}

} // namespace

InterruptWatch::InterruptWatch()
{
    sem_init(&wakeUp, 0, 0);
    signalsSeen = 0;
    m_watcher = std::thread([this] {
        while (sem_wait(&wakeUp) != 0) {}
        if (signalsSeen > 0)
            m_source.request_stop();
    });
    install(onSignal);
}

InterruptWatch::~InterruptWatch()
{
    install(SIG_DFL);
    sem_post(&wakeUp);
    m_watcher.join();
    sem_destroy(&wakeUp);
}

} // namespace app
