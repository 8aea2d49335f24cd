package config_test

import (
	"testing"

	"beagle/app/config"

	"github.com/stretchr/testify/require"
)

func TestSettingsThatAreHardlyMeantAreWarnedAbout(t *testing.T) {
	warned := func(vars map[string]string) (names []string) {
		c, err := config.Parse(vars)
		require.NoError(t, err)
		for _, w := range c.Warnings() {
			require.NotEmpty(t, w.Text)
			names = append(names, w.Variable)
		}
		return names
	}
	require.Empty(t, warned(nil))
	require.Empty(t, warned(map[string]string{"REQUEST_TIMEOUT": "29s", "SHUTDOWN_TIMEOUT": "29s", "BASE_URL": "https://beagle.example", "TRUSTED_PROXIES": "10.0.0.0/8"}))
	require.Equal(t, []string{"REQUEST_TIMEOUT"}, warned(map[string]string{"REQUEST_TIMEOUT": "30s", "BASE_URL": "http://beagle.example"}))
	require.Equal(t, []string{"SHUTDOWN_TIMEOUT", "TRUSTED_PROXIES"}, warned(map[string]string{"SHUTDOWN_TIMEOUT": "1m", "BASE_URL": "https://beagle.example"}))
}
