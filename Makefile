# A thin front to meson. `make demo` is the place to start.
BUILD ?= build
MUSTER = $(BUILD)/src/muster
SAMPLE = samples/web-app

.PHONY: build demo check install format format-check clean

build: $(BUILD)/build.ninja
	ninja -C $(BUILD)

$(BUILD)/build.ninja:
	.ci/install build
	meson setup $(BUILD)

# The web-app team with recorded model answers: the files, commands and gates are real.
demo: build
	.ci/install demo
	$(MUSTER) run teams/web-app.yaml -i brief=@$(SAMPLE)/brief.md --rehearse $(SAMPLE)/rehearsal.yaml
	@echo
	@echo "To play the game, open frontend/index.html of this folder, or start backend/server.js there:"
	@ls -td .muster/runs/web-app-*/workspace | head -n 1

check: build
	.ci/install demo check
	meson test -C $(BUILD) --print-errorlogs

install: build
	meson install -C $(BUILD)

format:
	.ci/install format
	git ls-files '*.c' '*.h' | xargs clang-format-14 -i

format-check:
	.ci/install format
	git ls-files '*.c' '*.h' | xargs clang-format-14 --dry-run -Werror

clean:
	rm -rf $(BUILD)
